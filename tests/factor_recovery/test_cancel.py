"""What cancels a recovery: a second factor that is given, the link in the mails, and every change of the account."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from latchkey.accounts.admin_actions import deactivate, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.core.client import ClientInfo
from latchkey.email_addresses.change import after_admin_change
from latchkey.factors import recovery_codes
from latchkey.factors.changes import FactorChange, change_factors, reset_factors
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import TotpSecret
from tests.factor_recovery.steps import DUE, WARNING, Owner, cancel_token, run_worker, try_confirm
from tests.factors.apps import code_at
from tests.outbox import last_code_mail, last_mail
from tests.people import try_login
from tests.problems import assert_problem

DAY = timedelta(days=1)
NEW = "seven purple trains to the sea"


def reasons() -> list[str]:
    """Return the reasons of all cancellations, in order."""
    cancelled = AuditEvent.objects.filter(name="factor_recovery.cancelled").order_by("pk")
    return list(cancelled.values_list("detail", flat=True))


def try_cancel(owner: Owner, token: str) -> Any:
    return owner.http.post("/api/login/recovery/cancel/", json={"token": token})


def test_sign_in_with_a_second_factor_cancels(owner: Owner) -> None:
    owner.request()
    owner.sign_in()
    assert not FactorRecovery.objects.exists()
    assert reasons() == ["second factor used"]
    assert run_worker() == []


def test_sign_in_with_a_recovery_code_cancels(owner: Owner) -> None:
    (code, *_) = recovery_codes.renew(owner.person.id)
    owner.request()
    body = {"ticket": owner.request_ticket(), "recovery_code": code}
    assert owner.http.post("/api/login/second-factor/", json=body).status_code == 200
    assert reasons() == ["second factor used"]


def test_sign_in_with_the_password_alone_does_not_cancel(owner: Owner) -> None:
    owner.request()
    ticket = owner.request_ticket()
    owner.http.post("/api/login/second-factor/", json={"ticket": ticket, "code": "000000"})
    assert FactorRecovery.objects.exists()
    assert reasons() == []


def test_step_up_with_a_second_factor_cancels(owner: Owner) -> None:
    owner.request()
    body = {"code": code_at(owner.secret, clocks.now())}
    answer = owner.http.post("/api/step-up/", json=body, headers=owner.person.bearer())
    assert answer.status_code == 200, answer.text
    assert reasons() == ["second factor used"]


def test_failed_sign_in_with_a_used_code_does_not_cancel(owner: Owner) -> None:
    owner.sign_in()
    owner.request()
    body = {"ticket": owner.request_ticket(), "code": code_at(owner.secret, clocks.now())}
    assert_problem(owner.http.post("/api/login/second-factor/", json=body), 400, "invalid_code")
    assert FactorRecovery.objects.exists()


def test_link_of_each_mail_cancels(past_clock: time_machine.Traveller, owner: Owner) -> None:
    owner.request()
    first = cancel_token(last_mail(owner.person.email))
    past_clock.shift(DAY)
    assert run_worker() == [WARNING]
    assert cancel_token(last_mail(owner.person.email)) == first
    assert try_cancel(owner, first).status_code == 200
    assert reasons() == ["link"]
    assert not FactorRecovery.objects.exists()


def test_link_cancels_nothing_a_second_time_and_no_later_recovery(owner: Owner) -> None:
    owner.request()
    token = cancel_token(last_mail(owner.person.email))
    assert try_cancel(owner, token).json() == try_cancel(owner, token).json()
    owner.request()
    assert try_cancel(owner, token).status_code == 200
    assert FactorRecovery.objects.exists()
    assert reasons() == ["link"]


def test_link_cancels_after_the_secret_key_was_rotated(owner: Owner, settings: Any) -> None:
    owner.request()
    token = cancel_token(last_mail(owner.person.email))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key of at least fifty characters, for tests"
    assert try_cancel(owner, token).status_code == 200
    assert reasons() == ["link"]


@pytest.mark.parametrize("position", [0, 12, 41])
def test_made_up_link_cancels_nothing(owner: Owner, position: int) -> None:
    owner.request()
    token = cancel_token(last_mail(owner.person.email))
    changed = "B" if token[position] == "A" else "A"
    assert_problem(try_cancel(owner, token[:position] + changed + token[position + 1 :]), 400, "invalid_code")
    assert FactorRecovery.objects.exists()


def test_link_of_the_due_mail_cancels_and_voids_the_code(past_clock: time_machine.Traveller, owner: Owner) -> None:
    mail = make_due(past_clock, owner)
    assert try_cancel(owner, cancel_token(mail)).status_code == 200
    for presented in ({"token": mail.token}, mail.code_fields):
        assert_problem(try_confirm(owner.http, **presented), 400, "invalid_code")
    assert TotpSecret.objects.exists()


def test_sign_in_voids_a_code_that_was_sent_already(past_clock: time_machine.Traveller, owner: Owner) -> None:
    mail = make_due(past_clock, owner)
    owner.sign_in()
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")
    assert TotpSecret.objects.exists()


def test_code_of_a_cancelled_recovery_does_not_confirm_a_later_one(
    past_clock: time_machine.Traveller, owner: Owner, set_policy: Callable[..., None]
) -> None:
    set_policy(recovery_delay=1)
    owner.request()
    past_clock.shift(DAY)
    assert run_worker() == [DUE]
    old = last_mail(owner.person.email)
    try_cancel(owner, cancel_token(old))
    owner.request()
    past_clock.shift(DAY)
    assert_problem(try_confirm(owner.http, token=old.token), 400, "invalid_code")
    assert run_worker() == [DUE]
    assert_problem(try_confirm(owner.http, token=old.token), 400, "invalid_code")
    assert try_confirm(owner.http, token=last_mail(owner.person.email).token).status_code == 200


def make_due(clock: time_machine.Traveller, owner: Owner) -> Any:
    """Start a recovery, wait until it is due, and return the mail with the code."""
    owner.request()
    for _ in range(7):
        clock.shift(DAY)
        kinds = run_worker()
    assert kinds == [DUE]
    return last_mail(owner.person.email)


def reset_password(owner: Owner) -> None:
    owner.http.post("/api/password/reset/", json={"email": owner.person.email})
    fields = {**last_code_mail(owner.person.email).code_fields, "new_password": NEW}
    assert owner.http.post("/api/password/reset/confirm/", json=fields).status_code == 200
    owner.person.password = NEW


def change_password(owner: Owner) -> None:
    body = {"current_password": owner.person.password, "new_password": NEW}
    answer = owner.http.post("/api/password/change/", json=body, headers=owner.person.refresh().bearer())
    assert answer.status_code == 200, answer.text
    owner.person.password = NEW


def change_address(owner: Owner) -> None:
    body = {"email": "new@example.com", "password": owner.person.password}
    answer = owner.http.post("/api/email/change/", json=body, headers=owner.person.refresh().bearer())
    assert answer.status_code == 202, answer.text
    code = {"code": last_code_mail("new@example.com").code}
    answer = owner.http.post("/api/email/change/confirm/", json=code, headers=owner.person.bearer())
    assert answer.status_code == 200, answer.text
    owner.person.email = "new@example.com"


def change_address_in_the_admin_area(owner: Owner) -> None:
    user = User.objects.get()
    user.email = "new@example.com"
    user.save()
    after_admin_change(user, owner.person.email, COMMAND_LINE)
    owner.person.email = "new@example.com"


def add_or_remove_factor(delta: int) -> Callable[[Owner], None]:
    def change(owner: Owner) -> None:
        event = Event.FACTOR_ADDED if delta > 0 else Event.FACTOR_REMOVED
        change_factors(User.objects.get(), FactorChange(event, delta, "passkey"), ClientInfo())

    return change


CHANGES: dict[str, Callable[[Owner], Any]] = {
    "password reset": reset_password,
    "password change": change_password,
    "address change": change_address,
    "address change by an operator": change_address_in_the_admin_area,
    "factor added": add_or_remove_factor(1),
    "factor removed": add_or_remove_factor(-1),
    "operator's reset": lambda _: reset_factors(User.objects.get(), COMMAND_LINE, "lost"),
    "sign-out everywhere": lambda owner: sign_out_everywhere([owner.person.id]),
    "promotion to staff": lambda _: User.objects.update(is_staff=True),
    "deactivation": lambda owner: deactivate([owner.person.id]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_recovery_ends_as_soon_as_the_account_changes(
    past_clock: time_machine.Traveller, owner: Owner, change: Callable[[Owner], Any]
) -> None:
    past_clock.shift(timedelta(hours=2))  # the limit on mails to the owner
    owner.request()
    change(owner)
    assert run_worker() == []
    assert reasons() == ["account changed"]
    past_clock.shift(30 * DAY)
    assert run_worker() == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_code_that_was_sent_is_void_as_soon_as_the_account_changes(
    past_clock: time_machine.Traveller, owner: Owner, change: Callable[[Owner], Any]
) -> None:
    mail = make_due(past_clock, owner)
    change(owner)
    before = User.objects.get().second_factors
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")
    assert User.objects.get().second_factors == before


def test_void_recovery_is_replaced_by_a_new_request_before_a_mail_worker_sees_it(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    past_clock.shift(timedelta(hours=2))
    first = owner.request()
    past_clock.shift(timedelta(hours=1))
    change_password(owner)
    assert owner.request() > first
    assert reasons() == ["replaced"]


def test_recovery_ends_where_the_policy_is_turned_off(
    past_clock: time_machine.Traveller, owner: Owner, set_policy: Callable[..., None]
) -> None:
    mail = make_due(past_clock, owner)
    set_policy(recovery_delay=0)
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")
    assert run_worker() == []
    assert reasons() == ["turned off"]
    set_policy(recovery_delay=7)
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")


def test_recovery_ends_where_no_mail_can_warn_any_more(owner: Owner, settings: Any) -> None:
    owner.request()
    settings.MAIL_SERVER = None
    assert run_worker() == []
    assert reasons() == ["turned off"]


def test_recovery_is_deleted_with_the_account(owner: Owner) -> None:
    owner.request()
    User.objects.all().delete()
    assert not FactorRecovery.objects.exists()


def test_sign_in_of_an_account_without_second_factor_looks_for_no_recovery(
    owner: Owner, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    owner.http.post("/api/register/", json={"email": "bob@example.com", "password": owner.person.password})
    sent = statements(lambda: try_login(owner.http, "bob@example.com"))
    assert any("latchkey_session" in sql for sql in sent)
    assert not [sql for sql in sent if "recovery" in sql]


def test_sign_in_with_a_second_factor_takes_one_statement_more(
    owner: Owner, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    sent = [sql for sql in statements(owner.sign_in) if "latchkey_factor_recovery" in sql]
    assert len(sent) == 1
    assert sent[0].startswith("DELETE")
