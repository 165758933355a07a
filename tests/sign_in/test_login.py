"""POST /api/login/: the token pair, errors, the session cap and statement budgets."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection

from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem

Decoded = dict[str, Any]


def decode_claims(token: str) -> Decoded:
    decoded: Decoded = jwt.decode(token, options={"verify_signature": False})
    return decoded


@pytest.mark.ledger("RFC6749-5.1", "ASVS-15.3.1")
def test_login_returns_only_a_token_pair(alice: Person) -> None:
    answer = try_login(alice.http)
    pair = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.text == f'{{"access_token": "{pair["access_token"]}", "refresh_token": "{pair["refresh_token"]}"}}'
    assert "Set-Cookie" not in answer.headers


def test_login_refresh_token_is_a_lower_case_version_4_uuid(alice: Person) -> None:
    token = UUID(alice.refresh_token)
    assert str(token) == alice.refresh_token
    assert (token.version, token.variant) == (4, "specified in RFC 4122")


@pytest.mark.ledger("RFC9068-2.2", "RFC8725-3.11", "RFC9068-6", "CS-JWT-5", "ASVS-9.2.4", "ASVS-7.2.2")
def test_login_access_token_has_the_documented_claims_and_header(clock: time_machine.Traveller, alice: Person) -> None:
    now = int(datetime.now(UTC).timestamp())
    claims = decode_claims(alice.access_token)
    jti = claims.pop("jti")
    assert claims == {
        "user_id": alice.id,
        "sub": str(alice.id),
        "sid": str(Session.objects.get().pk),
        "iat": now,
        "exp": now + 30,
        "iss": settings.PUBLIC_URL,
        "aud": "latchkey",
    }
    assert str(UUID(jti)) == jti
    assert jwt.get_unverified_header(alice.access_token) == {"alg": "HS256", "typ": "at+jwt"}
    assert decode_claims(alice.login().access_token)["jti"] != jti


def test_login_token_lifetimes_follow_the_policy_settings(
    clock: time_machine.Traveller, alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(access_token_lifetime=timedelta(seconds=5), refresh_token_lifetime=timedelta(hours=2))
    alice.login()
    claims = decode_claims(alice.access_token)
    assert claims["exp"] - claims["iat"] == 5
    newest = Session.objects.order_by("-expires_at").last()
    assert newest is not None
    assert newest.expires_at - newest.created_at == timedelta(hours=2)


@pytest.mark.ledger("ASVS-7.2.2")
def test_every_login_opens_its_own_session(alice: Person) -> None:
    first = alice.refresh_token
    alice.login()
    assert Session.objects.count() == 2
    assert first != alice.refresh_token
    assert alice.try_refresh(first).status_code == alice.try_refresh().status_code == 200


@pytest.mark.hashing
@pytest.mark.ledger("ASVS-6.3.8", "REG-DJANGO-35", "RFC9110-15.5.2")
def test_login_refuses_alike_for_wrong_password_unknown_address_and_inactive_user(
    alice: Person, user_row: Callable[[Person], Any]
) -> None:
    refusals = [try_login(alice.http, password=PASSWORD.upper()), try_login(alice.http, email="nobody@example.com")]
    refusals.append(try_login(alice.http, email="no address at all"))
    User.objects.filter(pk=alice.id).update(is_active=False)
    refusals.append(try_login(alice.http))
    assert_problem(refusals[0], 401, "invalid_credentials")
    assert {refusal.content for refusal in refusals} == {refusals[0].content}
    assert all(refusal.headers == refusals[0].headers for refusal in refusals)
    User.objects.filter(pk=alice.id).update(is_active=True)
    assert try_login(alice.http).status_code == 200


@pytest.mark.ledger("H-EM-10")
def test_login_does_not_accept_a_username(alice: Person) -> None:
    User.objects.filter(pk=alice.id).update(username="alice")
    assert_problem(try_login(alice.http, email="alice"), 401, "invalid_credentials")
    answer = alice.http.post("/api/login/", json={"username": "alice", "password": PASSWORD})
    assert_problem(answer, 400, "invalid", ["email"])


def test_login_takes_at_most_four_round_trips(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    """SQLite, which has no round trips to save, takes a fifth statement for the event."""
    sent = statements(alice.login)
    assert 1 <= len(sent) <= 4 + (connection.vendor == "sqlite")
    assert any("INSERT INTO latchkey_session" in sql for sql in sent)


@pytest.mark.hashing
@pytest.mark.ledger("CS-PW-3", "NIST-3.1.1.2-16", "ASVS-11.2.2")
def test_login_rehashes_an_old_password_hash_and_ends_no_session(
    alice: Person, user_row: Callable[[Person], Any]
) -> None:
    old = PBKDF2PasswordHasher().encode(PASSWORD, "a salt of the past", iterations=1000)
    User.objects.filter(pk=alice.id).update(password=old)
    before = alice.refresh_token
    alice.login()
    assert user_row(alice).password.startswith("argon2$argon2id$")
    assert user_row(alice).credential_version == 0
    assert alice.try_refresh(before).status_code == alice.try_refresh().status_code == 200


@pytest.mark.ledger("ASVS-7.1.2")
def test_login_over_the_session_cap_ends_the_oldest_session(
    alice: Person, bob: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(sessions_per_user=2)
    tokens = [alice.refresh_token, alice.login().refresh_token, alice.login().refresh_token]
    assert [alice.try_refresh(token).status_code for token in tokens] == [401, 200, 200]
    assert bob.try_refresh().status_code == 200


def test_login_prunes_only_the_expired_sessions_of_its_user(
    clock: time_machine.Traveller, alice: Person, bob: Person
) -> None:
    clock.shift(timedelta(days=30))
    alice.login()
    assert Session.objects.filter(user=alice.id).count() == 1
    assert Session.objects.filter(user=bob.id).count() == 1
    assert alice.try_refresh().status_code == 200
