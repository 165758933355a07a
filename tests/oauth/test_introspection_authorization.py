"""POST /api/introspect/ for tokens of every kind: roles, custom claims, scopes and audiences, as they are now."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.models import Role
from latchkey.authorization.roles import revoke_role
from latchkey.core import clock as wall_clock
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.oauth.conftest import ResourceServer
from tests.people import Person
from tests.problems import assert_problem
from tests.support.bearers import add_application, add_role, application_key, application_token, person_key
from tests.support.simultaneous import decode_claims

ISSUER = "http://127.0.0.1:8000"
INACTIVE = {"active": False}


def test_introspect_returns_roles_claims_and_scopes_of_a_person_as_they_are_now(
    payments: ResourceServer, alice: Person
) -> None:
    before = payments.introspect_json(alice.access_token)
    assert not before.keys() & {"roles", "claims", "scope", "client_id", "key_id"}
    role = add_role(alice, "editor", "reports:write", "reports:read")
    add_role(alice, "admin:eu", "reports:read")
    set_claims(alice.id, {"plan": "pro", "sub": "1", "roles": ["root"], "active": False}, COMMAND_LINE)
    told: dict[str, Any] = {"scope": "reports:read reports:write", "roles": ["admin:eu", "editor"]}
    told |= {"claims": {"plan": "pro", "sub": "1", "roles": ["root"], "active": False}}
    assert payments.introspect_json(alice.access_token) == before | told
    revoke_role([alice.id], role, COMMAND_LINE)
    told |= {"scope": "reports:read", "roles": ["admin:eu"]}
    assert payments.introspect_json(alice.access_token) == before | told
    Role.objects.get(name="admin:eu").scopes.clear()
    del told["scope"]
    assert payments.introspect_json(alice.access_token) == before | told


@pytest.mark.parametrize("audience", [["latchkey"], ["https://orders.example.com/"], ["latchkey", "urn:b"]])
def test_introspect_returns_client_scope_and_audience_of_the_token_of_an_application(
    payments: ResourceServer, audience: list[str]
) -> None:
    application = add_application("reports", "reports:write", "reports:read")
    token = application_token("reports", "reports:write", "reports:read", "gone", audience=audience)
    claims = decode_claims(token)
    assert claims["scope"] == "gone reports:read reports:write"
    response = payments.introspect_json(token)
    expected = {"active": True, "token_type": "Bearer", "sub": "reports", "client_id": "reports"}
    expected |= {name: claims[name] for name in ("iat", "exp", "jti", "iss", "aud")}
    assert list(response.items()) == [*expected.items(), ("scope", "reports:read reports:write")]
    application.scopes.clear()
    assert payments.introspect_json(token) == expected
    application.is_active = False
    application.save()
    assert payments.introspect_json(token) == INACTIVE


def test_introspect_reports_a_token_inactive_that_was_revoked_with_all_of_its_application(
    payments: ResourceServer, clock: Any
) -> None:
    application = add_application("reports", "a")
    token = application_token("reports", "a")
    clock.shift(2)
    application.tokens_valid_from = wall_clock.now()
    application.save()
    assert payments.introspect_json(token) == INACTIVE
    clock.shift(2)
    assert payments.introspect_json(application_token("reports", "a"))["active"] is True
    application.delete()
    assert payments.introspect_json(application_token("reports", "a")) == INACTIVE


def test_introspect_returns_owner_scope_and_id_of_an_api_key_of_a_person(
    payments: ResourceServer, alice: Person
) -> None:
    add_role(alice, "editor", "reports:read")
    expires_at = wall_clock.now() + timedelta(days=1)
    key = person_key(alice, "reports:read", "reports:write", expires_at=expires_at)
    row = ApiKey.objects.get()
    expected: dict[str, Any] = {"active": True, "token_type": "Bearer", "sub": str(alice.id), "user_id": alice.id}
    expected |= {"username": alice.email, "email_verified": False, "iat": int(row.created_at.timestamp())}
    expected |= {"exp": int(expires_at.timestamp()), "iss": ISSUER, "scope": "reports:read", "key_id": row.key_id}
    assert list(payments.introspect_json(key).items()) == list(expected.items())
    set_claims(alice.id, {"plan": "pro"}, COMMAND_LINE)
    assert payments.introspect_json(key) == expected  # a key has neither roles nor claims
    User.objects.filter(pk=alice.id).update(is_active=False)
    assert payments.introspect_json(key) == INACTIVE


def test_introspect_returns_client_scope_and_id_of_an_api_key_of_an_application(payments: ResourceServer) -> None:
    application = add_application("reports", "reports:read")
    key = application_key(application, "reports:read", "reports:write")
    row = ApiKey.objects.get()
    expected: dict[str, Any] = {"active": True, "token_type": "Bearer", "sub": "reports", "client_id": "reports"}
    expected |= {"iat": int(row.created_at.timestamp()), "iss": ISSUER}
    expected |= {"scope": "reports:read", "key_id": row.key_id}
    assert list(payments.introspect_json(key).items()) == list(expected.items())
    row.delete()
    assert payments.introspect_json(key) == INACTIVE


def test_introspect_reports_an_api_key_inactive_from_its_exact_expiry(
    payments: ResourceServer, alice: Person, clock: Any
) -> None:
    key = person_key(alice, expires_at=wall_clock.now() + timedelta(seconds=30))
    for seconds, live in ((29, True), (1, False)):
        clock.shift(seconds)
        assert payments.introspect_json(key)["active"] is live


def test_introspect_takes_one_statement_for_a_token_and_one_more_for_a_person_with_roles(
    payments: ResourceServer, alice: Person, bob: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    add_role(alice, "editor", "a")
    add_application("reports", "a")
    for token, count in ((bob.access_token, 1), (alice.access_token, 2), (application_token("reports", "a"), 1)):
        of_client_authentication = 1
        assert len(statements(partial(payments.introspect, token))) == of_client_authentication + count


@pytest.mark.ledger("RFC7662-4")
def test_introspect_rate_limits_made_up_api_keys_but_not_real_ones(payments: ResourceServer, alice: Person) -> None:
    key = person_key(alice)
    ApiKey.objects.all().delete()
    statuses = [payments.introspect(key).status_code for _ in range(MAX_PER_WINDOW + 1)]
    assert (statuses[0], statuses[-1]) == (200, 429)
    assert_problem(payments.introspect(key), 429, "too_many_attempts")
    assert payments.introspect_json(person_key(alice))["active"] is True
