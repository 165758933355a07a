"""The Authorization header: schemes, malformed bearer tokens, and tokens sent where none is needed."""

import httpx
import pytest
from django.test import Client

from latchkey.accounts.models import User
from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, valid_body
from tests.support.forged_tokens import forge

OTHER_SCHEMES = [
    "",
    "Basic {}",
    "JWT {}",
    "Token {}",
    "Digest {}",
    "Bearer:{}",
    "Bearer{}",
    "{}",
    "Bearer, {}",
    "Bearer\t{}",
]
BAD = ["Bearer", "Bearer ", "Bearer  ", "Bearer x", "Bearer {}, Bearer {}", "Bearer {},", "Bearer {} {}"]
BAD += ["Bearer Bearer {}", "Bearer token={}", 'Bearer "{}"', "Bearer <{}>", "Bearer null", "Bearer {};", "Bearer \t{}"]
GOOD = ["Bearer {}", "bearer {}", "BEARER {}", "bEaReR {}", "Bearer  {}", "Bearer {} "]


def me(alice: Person, pattern: str) -> httpx.Response:
    return alice.http.get("/api/me/", headers={"Authorization": pattern.replace("{}", alice.access_token)})


@pytest.mark.ledger("H-AUTHZ-01", "RFC7235-scheme")
@pytest.mark.parametrize("pattern", GOOD)
def test_me_accepts_the_bearer_scheme_in_any_case(alice: Person, pattern: str) -> None:
    assert me(alice, pattern).status_code == 200


@pytest.mark.ledger("H-AUTHZ-01", "H-AUTHZ-02", "RFC6750-3.1-1", "RFC6750-3.1-2")
def test_me_refuses_a_malformed_bearer_token_with_invalid_token(alice: Person) -> None:
    with nothing_changes():
        for pattern in BAD:
            assert_problem(me(alice, pattern), 401, "invalid_token")


@pytest.mark.ledger("H-AUTHZ-01", "RFC6750-3-2")
def test_me_treats_another_scheme_as_not_authenticated(alice: Person) -> None:
    with nothing_changes():
        for pattern in OTHER_SCHEMES:
            assert_problem(me(alice, pattern), 401, "not_authenticated")


@pytest.mark.ledger("H-AUTHZ-04")
@pytest.mark.parametrize("junk", ["\xff\xfe", "\xc3\xa9.\xc3\xa9.x", "\xe9.\xe9.\xe9", "\xa0{}", "{}\xa0", "{}\x85"])
def test_me_refuses_non_ascii_bytes_in_a_bearer_token(alice: Person, junk: str) -> None:
    junk = junk.replace("{}", alice.access_token)
    answer = Client(HTTP_HOST="127.0.0.1").get("/api/me/", HTTP_AUTHORIZATION=f"Bearer {junk}")  # httpx cannot send it
    request = httpx.Request("GET", "http://127.0.0.1/api/me/")
    seen = httpx.Response(
        answer.status_code, headers=list(answer.headers.items()), content=answer.content, request=request
    )
    assert_problem(seen, 401, "invalid_token")


@pytest.mark.ledger("H-AUTHZ-03", "RFC6750-2.3", "RFC6750-2")
def test_me_reads_the_access_token_only_from_the_authorization_header(alice: Person) -> None:
    token, bearer = alice.access_token, f"Bearer {alice.access_token}"
    for name in ("Proxy-Authorization", "X-Authorization", "X-Access-Token", "HTTP-Authorization"):
        assert_problem(alice.http.get("/api/me/", headers={name: bearer}), 401, "not_authenticated")
    assert_problem(alice.http.get(f"/api/me/?access_token={token}"), 401, "not_authenticated")
    assert_problem(alice.http.get("/api/me/", headers={"Cookie": f"access_token={token}"}), 401, "not_authenticated")
    body = {"access_token": token, "username": "x"}
    assert_problem(alice.http.put("/api/me/", json=body), 401, "not_authenticated")
    assert User.objects.get(pk=alice.id).username == ""


@pytest.mark.ledger("H-AUTHZ-06")
@pytest.mark.parametrize("name", ["register", "login", "refresh", "logout"])
def test_public_endpoints_ignore_an_expired_access_token(alice: Person, name: str) -> None:
    endpoint = ENDPOINTS[name]
    expired = {"Authorization": f"Bearer {forge(alice, exp=1)}"}
    assert alice.me(forge(alice, exp=1)).status_code == 401
    answer = alice.http.request(endpoint.method, endpoint.path, json=valid_body(alice, name), headers=expired)
    assert answer.status_code == endpoint.success


@pytest.mark.ledger("H-JWT-18", "REG-SIMPLEJWT-01", "REG-KEYCLOAK-10", "ASVS-8.3.2")
@pytest.mark.parametrize("fate", ["inactive", "deleted", "id reused"])
def test_me_refuses_the_access_token_of_an_inactive_or_deleted_user(alice: Person, bob: Person, fate: str) -> None:
    assert alice.me().status_code == 200
    if fate == "inactive":
        User.objects.filter(pk=alice.id).update(is_active=False)
    else:
        User.objects.get(pk=alice.id).delete()
    if fate == "id reused":
        User.objects.create_user("mallory@example.com", "a password of mallory", id=alice.id)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = alice.http.request(method, "/api/me/", json={"username": "x"}, headers=alice.bearer())
        assert_problem(answer, 401, "invalid_token")
    assert bob.me().status_code == 200
