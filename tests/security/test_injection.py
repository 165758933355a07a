"""Injection: SQL, patterns, scripts and parameters in places where they must have no effect."""

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, FIELDS, nothing_changes, send, valid_body

SQL = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "1; DROP TABLE latchkey_user",
    "'||pg_sleep(5)||'",
    "\\'; SELECT 1 --",
    "%' OR '%'='",
]
QUERY = {"_connector": "OR 1=1", "email": "x", "callback": "f", "jsonp": "f", "format": "xml", "page_size": "1e400"}


@pytest.mark.ledger("ASVS-1.2.4", "CS-SESS-3")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_sql_in_a_body_field_is_treated_as_text(alice: Person, name: str, field: str) -> None:
    began = time.monotonic()
    for text in SQL:
        answer = send(alice, name, valid_body(alice, name) | {field: text})
        if field == "refresh_token" or (field == "email" and name == "register"):
            assert_problem(answer, 400, "invalid", [field])
        elif name == "login":
            assert_problem(answer, 401, "invalid_credentials")
        elif name == "register":
            assert answer.status_code in (201, 400)
        else:
            assert answer.json()["username"] == text
    assert time.monotonic() - began < 5
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-1.2.4", "REG-DJANGO-28")
def test_sql_in_headers_query_or_unknown_keys_has_no_effect(alice: Person) -> None:
    mine = alice.me().content
    with nothing_changes():
        for text in SQL:
            headers = alice.bearer() | {
                "User-Agent": text,
                "X-Forwarded-For": text,
                "Cookie": f"sessionid={quote(text)}",
            }
            for key in ("_connector", "id", "email__startswith", "user_id", "order_by", text):
                answer = alice.http.get("/api/me/", params={key: text}, headers=headers)
                assert (answer.status_code, answer.content) == (200, mine)
            body = {"_connector": text, "email__startswith": "a", "password__gt": "", text: 1}
            assert_problem(send(alice, "login", body), 400, "invalid", ["email", "password"])
            assert_problem(alice.me(quote(text)), 401, "invalid_token")


@pytest.mark.ledger("ASVS-15.3.7")
def test_login_refresh_and_me_ignore_the_query_and_refuse_duplicate_keys(alice: Person, bob: Person) -> None:
    query = {"email": bob.email, "password": "x", "refresh_token": bob.refresh_token, "username": "query"}
    answer = alice.http.post("/api/login/", params=query, json={"email": alice.email, "password": PASSWORD})
    assert alice.me(answer.json()["access_token"]).json()["email"] == alice.email
    assert_problem(alice.http.post("/api/login/", params=query, json={}), 400, "invalid", ["email", "password"])
    assert_problem(alice.http.post("/api/refresh/", params=query), 400, "invalid", ["refresh_token"])
    alice.http.patch("/api/me/", params=query, json={"username": "body"}, headers=alice.bearer())
    assert alice.me().json()["username"] == "body"
    doubled = f'{{"email": "{bob.email}", "email": "{alice.email}", "password": "{PASSWORD}"}}'
    assert_problem(send(alice, "login", doubled.encode()), 400, "duplicate_key", ["body"])
    assert bob.try_refresh().status_code == 200


@pytest.mark.ledger("ASVS-3.5.6", "ASVS-1.2.3")
@pytest.mark.parametrize("path", ["/api/", "/api/me/", "/livez", "/readyz", "/api-doc/schema/"])
def test_callback_and_format_parameters_do_not_change_a_response(alice: Person, path: str) -> None:
    plain = alice.http.get(path, headers=alice.bearer())
    asked = alice.http.get(path, params=QUERY, headers=alice.bearer())
    assert asked.status_code == 200
    assert "script" not in asked.headers["Content-Type"]
    assert (asked.content, asked.headers["Content-Type"]) == (plain.content, plain.headers["Content-Type"])


@pytest.mark.ledger("ASVS-1.2.3")
@pytest.mark.parametrize("name", ['"quoted"', "\\", "</script><script>", "a\nb\tc", '","id":0,"x":"', "\u2028\u2029"])
def test_display_name_with_special_characters_round_trips_as_json(alice: Person, name: str) -> None:
    answer = alice.http.put("/api/me/", json={"username": name}, headers=alice.bearer())
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"id": alice.id, "username": name.strip(), "email": alice.email}
    assert alice.me().json()["username"] == name.strip()


@pytest.mark.ledger("ASVS-1.2.9")
@pytest.mark.parametrize(
    "pattern", [".*@.*", "^alice", "alice@example.co.", "[a-z]+@example.com", "%@%", "alice@example.___"]
)
def test_login_does_not_match_the_email_as_a_pattern(alice: Person, pattern: str) -> None:
    answer = alice.http.post("/api/login/", json={"email": pattern, "password": PASSWORD})
    assert_problem(answer, 401, "invalid_credentials")


@pytest.mark.ledger("ASVS-13.4.4")
@pytest.mark.parametrize(
    "path", ["/", "/api/", *{endpoint.path: 0 for endpoint in ENDPOINTS.values()}, "/api-doc/", "/livez"]
)
def test_trace_method_is_refused_and_echoes_nothing(alice: Person, path: str) -> None:
    headers = alice.bearer() | {"X-Echo": "an-echo", "Cookie": "sessionid=an-echo"}
    answer = alice.http.request("TRACE", path, headers=headers, content=b"an-echo")
    assert_problem(answer, 405, "method_not_allowed")
    assert "an-echo" not in answer.text + str(answer.headers)


@pytest.mark.ledger("REG-DJOSER-01")
def test_login_is_refused_by_an_authentication_backend_that_denies(alice: Person, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.security.denying_backend.DenyingBackend"]
    with nothing_changes():
        answer = alice.http.post("/api/login/", json={"email": alice.email, "password": alice.password})
        assert_problem(answer, 401, "invalid_credentials")
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert alice.login().me().status_code == 200
