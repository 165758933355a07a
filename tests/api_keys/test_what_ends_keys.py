"""What ends API keys: expiry and pruning, a password reset by mail, their holder; and what leaves them alone."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.api_keys.api_key import checksum
from latchkey.api_keys.manage import revoke_presented
from latchkey.api_keys.models import ApiKey
from latchkey.api_keys.prune import prune
from latchkey.api_keys.verification import verify_key
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken, TooManyAttempts
from latchkey.metrics_server.pruning import prune_all
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.api_keys.requests import create, create_application, create_of_application, use
from tests.outbox import last_code_mail
from tests.people import PASSWORD, Person

NEW_PASSWORD = "another horse battery staple"
CLIENT = ClientInfo("203.0.113.7", "backup/1")


def reset_password(person: Person) -> None:
    person.http.post("/api/password/reset/", json={"email": person.email})
    sent = {"token": last_code_mail(person.email).token, "new_password": NEW_PASSWORD}
    answer = person.http.post("/api/password/reset/confirm/", json=sent)
    assert answer.status_code in (200, 204), answer.text


def test_password_reset_by_mail_revokes_all_keys_of_the_person_and_no_others(
    alice: Person, bob: Person, settings: Any
) -> None:
    """Account pre-hijacking: a key of whoever had the account before is worth nothing from then on."""
    settings.MAIL_SERVER = {}
    mine, other = [create(alice), create(alice)], create(bob)
    reset_password(alice)
    assert [use(alice.http, made["key"]).status_code for made in (*mine, other)] == [401, 401, 200]
    found = AuditEvent.objects.filter(name="api_key.revoked").order_by("id").values_list("user_id", "detail")
    assert list(found) == [(alice.id, made["id"]) for made in mine]


def test_new_password_that_the_owner_sets_leaves_keys_alone(alice: Person) -> None:
    key = create(alice)["key"]
    sent = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert alice.http.post("/api/password/change/", json=sent, headers=alice.bearer()).status_code == 200
    assert use(alice.http, key).status_code == 200


def test_signing_out_everywhere_leaves_keys_alone(alice: Person) -> None:
    key = create(alice)["key"]
    assert alice.http.delete("/api/sessions/?all=true", headers=alice.bearer()).status_code == 200
    assert use(alice.http, key).status_code == 200


def test_deleted_account_takes_its_keys_along(alice: Person) -> None:
    key = create(alice)["key"]
    alice.http.request("DELETE", "/api/me/", json={"password": PASSWORD}, headers=alice.bearer())
    assert use(alice.http, key).status_code == 401
    assert not ApiKey.objects.exists()


def test_holder_revokes_the_key_it_presents(alice: Person) -> None:
    mine, of_application = create(alice), create_of_application(create_application())
    for key in (mine["key"], of_application):
        revoke_presented(key, CLIENT)
        with pytest.raises(InvalidToken):
            verify_key(key)
        revoke_presented(key, CLIENT)  # once more is no error
    found = AuditEvent.objects.filter(name="api_key.revoked").order_by("id")
    assert [(event.user_id, event.client_id) for event in found] == [(alice.id, ""), (None, "billing")]
    assert found[0].detail == mine["id"]


@pytest.mark.parametrize("presented", ["", "latchkey_p", "latchkey_p" + "ü" * 55, "\ud800", "x" * 4_096])
def test_what_is_no_key_is_no_error_where_a_key_is_revoked(http: httpx.Client, presented: str) -> None:
    revoke_presented(presented, CLIENT)


def test_made_up_keys_that_are_presented_to_be_revoked_are_limited(alice: Person) -> None:
    made_up, key = "latchkey_p" + "a" * 49, create(alice)["key"]
    for _ in range(MAX_PER_WINDOW):
        revoke_presented(made_up + checksum(made_up), CLIENT)
    with pytest.raises(TooManyAttempts):
        revoke_presented(made_up + checksum(made_up), CLIENT)
    revoke_presented(key, CLIENT)
    assert not ApiKey.objects.exists()


def test_expired_key_is_listed_for_30_days_and_then_deleted(clock: time_machine.Traveller, http: httpx.Client) -> None:
    alice = Person(http, "alice@example.com").register().login()
    create(alice, expires_in_days=1)
    create(alice, expires_in_days=366)
    clock.shift(timedelta(days=31) - timedelta(seconds=1))
    assert sum(prune()) == 0
    clock.shift(timedelta(seconds=1))
    assert sum(prune_all()) >= 1
    assert ApiKey.objects.count() == 1


def test_pruning_goes_on_in_batches(clock: time_machine.Traveller, http: httpx.Client) -> None:
    alice = Person(http, "alice@example.com").register().login()
    for _ in range(5):
        create(alice, expires_in_days=1)
    clock.shift(timedelta(days=31))
    assert list(prune(batch=2)) == [2, 2, 1]
