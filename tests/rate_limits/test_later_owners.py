"""Guesses at an e-mail address without an account bind nobody who gets the address later."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command

from latchkey.accounts.models import User
from latchkey.rate_limits.models import Attempt
from tests.fixtures.clients import ClientFactory
from tests.outbox import last_mail
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.login_attempts import fail_logins, lock_out, try_password

LATER = "later@example.com"


def give_by_registration(bob: Person, folder: Path) -> None:
    replace(bob, email=LATER).register()


def give_by_change(bob: Person, folder: Path) -> None:
    body = {"email": LATER, "password": PASSWORD}
    assert bob.http.post("/api/email/change/", json=body, headers=bob.login().bearer()).status_code == 202
    confirmed = bob.http.post("/api/email/change/confirm/", json={"token": last_mail(LATER).token})
    assert confirmed.status_code == 200, confirmed.text


def give_by_import(bob: Person, folder: Path) -> None:
    file = folder / "users.csv"
    file.write_text(f"email,password\n{LATER},{PASSWORD}\n")
    call_command("users", "import", str(file), stdout=StringIO())


def give_by_saving_the_user(bob: Person, folder: Path) -> None:
    user = User.objects.get(pk=bob.id)
    user.email = LATER
    user.save()


def give_to_a_superuser(bob: Person, folder: Path) -> None:
    User.objects.create_superuser(LATER, PASSWORD)


WAYS = [give_by_registration, give_by_change, give_by_import, give_by_saving_the_user, give_to_a_superuser]


@pytest.mark.ledger("NIST-3.2.2-1")
@pytest.mark.parametrize("give", WAYS)
def test_guesses_at_an_address_without_an_account_do_not_lock_out_its_later_owner(
    bob: Person,
    from_address: ClientFactory,
    clock: time_machine.Traveller,
    tmp_path: Path,
    give: Callable[[Person, Path], None],
) -> None:
    mallory = replace(bob, email=LATER, http=from_address("192.0.2.66"))
    lock_out(mallory, from_address, clock)
    assert_problem(try_password(mallory, PASSWORD), 429, "too_many_attempts")
    give(bob, tmp_path)
    fail_logins(replace(mallory, http=from_address("203.0.113.1")), 9)  # none of those before counts
    assert try_password(replace(mallory, http=from_address("203.0.113.2")), PASSWORD).status_code == 200


def test_guesses_at_the_codes_of_an_address_without_an_account_do_not_bind_its_later_owner(
    bob: Person, clock: time_machine.Traveller
) -> None:
    guess = {"email": LATER, "code": "0000-0000"}
    assert [bob.http.post("/api/email/verify/", json=guess).status_code for _ in range(11)] == [400] * 10 + [429]
    replace(bob, email=LATER).register()
    assert bob.http.post("/api/email/verify/", json=guess).status_code == 400


def test_new_owner_of_an_address_inherits_no_known_device(
    bob: Person, from_address: ClientFactory, clock: time_machine.Traveller
) -> None:
    first = replace(bob, email=LATER, http=from_address("192.0.2.66")).register().login()
    left = first.http.request("DELETE", "/api/me/", json={"password": PASSWORD}, headers=first.bearer())
    assert left.status_code == 204, left.text
    replace(bob, email=LATER).register()
    assert Attempt.objects.filter(account__gt="", address__gt="").count() == 1  # bob's own


def test_account_that_keeps_its_address_keeps_its_rate_limits(bob: Person, from_address: ClientFactory) -> None:
    fail_logins(replace(bob, http=from_address("192.0.2.66")), 10)
    user = User.objects.get(pk=bob.id)
    user.username = "Bob"
    user.save()
    User.objects.defer("email").get(pk=bob.id).save(update_fields=["username"])
    assert try_password(replace(bob, http=from_address("192.0.2.67")), PASSWORD).status_code == 429


def test_refused_registration_keeps_the_rate_limits_of_the_account(bob: Person, from_address: ClientFactory) -> None:
    fail_logins(replace(bob, http=from_address("192.0.2.66")), 10)
    taken = bob.http.post("/api/register/", json={"email": bob.email, "password": PASSWORD})
    assert_problem(taken, 400, "email_taken")
    assert try_password(replace(bob, http=from_address("192.0.2.67")), PASSWORD).status_code == 429
