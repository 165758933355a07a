"""POST /api/introspect/ (RFC 7662): the introspection response for each kind of token."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.core import clock as wall_clock
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from latchkey.sessions.models import Session
from tests.oauth.conftest import ResourceServer
from tests.people import Person
from tests.problems import assert_problem
from tests.support.forged_tokens import forge
from tests.support.simultaneous import decode_claims

INACTIVE = '{"active": false}'
MALFORMED = [
    "x",
    "x.y.z",
    "é",
    "null",
    "0",
    "{}",
    "../../etc/passwd",
    "' OR 1=1 --",
    "x" * 5000,
    "a b",
    "%00",
    "Bearer x",
]


def test_introspect_returns_all_claims_of_a_live_access_token(payments: ResourceServer, alice: Person) -> None:
    response, claims = payments.introspect_json(alice.access_token), decode_claims(alice.access_token)
    expected = {"active": True, "token_type": "Bearer", "sub": str(alice.id), "user_id": alice.id}
    expected |= {"username": alice.email, "email_verified": False}
    expected |= {name: claims[name] for name in ("sid", "iat", "exp", "jti", "iss", "aud")}
    assert list(response.items()) == list(expected.items())


def test_introspect_returns_user_session_and_expiry_of_a_live_refresh_token(
    payments: ResourceServer, alice: Person, clock: Any
) -> None:
    alice.login()
    response, sid = payments.introspect_json(alice.refresh_token), decode_claims(alice.access_token)["sid"]
    assert list(response) == ["active", "sub", "user_id", "username", "email_verified", "sid", "iat", "exp", "iss"]
    assert (response["sub"], response["user_id"], response["username"]) == (str(alice.id), alice.id, alice.email)
    assert response["sid"] == sid
    assert response["exp"] - response["iat"] == timedelta(days=30).total_seconds()  # type: ignore[operator]  # both are numbers


@pytest.mark.parametrize("token", ["access_token", "refresh_token"])
def test_introspect_tells_at_once_whether_the_email_address_is_confirmed(
    payments: ResourceServer, alice: Person, token: str
) -> None:
    for verified_at, told in ((wall_clock.now(), True), (None, False)):
        User.objects.filter(pk=alice.id).update(email_verified_at=verified_at)
        response = payments.introspect_json(getattr(alice, token))
        assert (response["username"], response["email_verified"]) == (alice.email, told)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_introspect_ignores_token_type_hint(payments: ResourceServer, alice: Person, hint: str) -> None:
    for token in (alice.access_token, alice.refresh_token):
        assert payments.introspect(token, token_type_hint=hint, more="x").json() == payments.introspect_json(token)
        assert payments.introspect_json(token)["active"] is True


@pytest.mark.ledger("RFC7662-2.2")
def test_introspect_returns_only_active_false_for_a_token_that_is_not_live(
    payments: ResourceServer, alice: Person, bob: Person, user_row: Callable[[Person], Any]
) -> None:
    rotated, tokens = alice.refresh_token, alice.refresh()
    ended = [bob.access_token, bob.refresh_token]
    for token in (tokens.access_token, tokens.refresh_token, *ended):
        assert payments.introspect_json(token)["active"] is True
    bob.logout()
    foreign = forge(alice, key=b"a key of mallory that is 32 byte")
    for token in (rotated, *ended, foreign, str(uuid4()), *MALFORMED):
        assert payments.introspect(token).text == INACTIVE, token
    user = user_row(alice)
    user.set_password("another long password")
    user.save()
    for token in (alice.access_token, alice.refresh_token):
        assert payments.introspect(token).text == INACTIVE


@pytest.mark.ledger("RFC7662-2.2")
def test_introspect_reports_a_token_inactive_from_its_exact_expiry(
    clock: time_machine.Traveller, payments: ResourceServer, alice: Person, set_policy: Callable[..., None]
) -> None:
    for seconds, live in ((29, True), (1, False)):
        clock.shift(seconds)
        assert payments.introspect_json(alice.access_token)["active"] is live
    ends = payments.introspect_json(alice.refresh_token)["exp"]
    set_policy(session_lifetime_cap=timedelta(hours=1))
    assert payments.introspect_json(alice.refresh_token)["exp"] == ends - 29 * 86400 - 23 * 3600  # type: ignore[operator]
    clock.shift(3600)
    assert payments.introspect(alice.refresh_token).text == INACTIVE
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


def test_introspect_neither_rotates_a_refresh_token_nor_counts_as_reuse(
    payments: ResourceServer, alice: Person
) -> None:
    rotated = alice.refresh().spent[0]
    alice.refresh()
    rows = list(Session.objects.values())
    for token in (alice.refresh_token, alice.refresh_token, rotated, alice.spent[1]):
        assert payments.introspect_json(token)["active"] is (token == alice.refresh_token)
    assert list(Session.objects.values()) == rows
    assert alice.refresh().me().status_code == 200


def test_introspect_reports_the_successor_of_a_rotation_lost_in_a_fail_over_active(
    payments: ResourceServer, alice: Person
) -> None:
    before = Session.objects.values().get()
    alice.refresh()
    Session.objects.filter(pk=before["id"]).update(**before)  # fail-over to a replica without the rotation
    assert payments.introspect_json(alice.refresh_token)["active"] is True
    assert alice.try_refresh().status_code == 200


def test_introspect_accepts_tokens_of_the_old_secret_key_while_it_is_a_fallback(
    payments: ResourceServer, alice: Person, settings: Any
) -> None:
    with override_settings(SECRET_KEY="n" * 60, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        for token in (alice.access_token, alice.refresh_token):
            assert payments.introspect_json(token)["active"] is True
    with override_settings(SECRET_KEY="n" * 60):
        for token in (alice.access_token, alice.refresh_token):
            assert payments.introspect(token).text == INACTIVE


def test_introspect_takes_at_most_two_statements(
    payments: ResourceServer, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for token, count in ((alice.access_token, 2), (alice.refresh_token, 2), (str(uuid4()), 2), ("x", 1)):
        sent = statements(partial(payments.introspect, token))
        assert len(sent) == count
        assert all(sql.startswith("SELECT") for sql in sent)


@pytest.mark.ledger("RFC7662-4")
def test_introspect_rate_limits_unknown_tokens_but_not_live_ones(payments: ResourceServer, alice: Person) -> None:
    statuses = [payments.introspect(str(uuid4())).status_code for _ in range(MAX_PER_WINDOW + 5)]
    assert statuses[0] == 200
    assert_problem(payments.introspect(str(uuid4())), 429, "too_many_attempts")
    for token in (alice.access_token, alice.refresh_token):
        assert payments.introspect_json(token)["active"] is True
