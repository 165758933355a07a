"""Password and e-mail address endpoints: methods, JSON bodies, trailing slash, browsable page, outage."""

import json
from typing import Any

import httpx
import pytest

from latchkey.mail.models import Mail
from tests.fixtures.database import DatabaseDown
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes
from tests.web.test_browsable_api import HTML, assert_page

NEW = "seven purple trains to the sea"
ENDPOINTS: dict[str, dict[str, Any]] = {
    "password/change": {"current_password": PASSWORD, "new_password": NEW},
    "password/reset": {"email": "alice@example.com"},
    "password/reset/confirm": {"token": "x", "new_password": NEW},
    "email/verify": {"token": "x"},
    "email/verify/resend": {"email": "alice@example.com"},
    "email/change": {"email": "new@example.com", "password": PASSWORD},
    "email/change/confirm": {"token": "x"},
}
AUTHENTICATED = ("password/change", "email/change")
each_endpoint = pytest.mark.parametrize(("name", "body"), ENDPOINTS.items(), ids=ENDPOINTS)


def send_to(
    alice: Person, name: str, content: bytes, kind: str = "application/json", slash: str = "/"
) -> httpx.Response:
    headers = {**alice.bearer(), "Content-Type": kind}
    return alice.http.post(f"/api/{name}{slash}", content=content, headers=headers)


@each_endpoint
def test_account_endpoints_answer_alike_with_and_without_trailing_slash(
    alice: Person, name: str, body: dict[str, Any]
) -> None:
    sent = json.dumps(dict.fromkeys(body, "")).encode()
    with_slash, without = send_to(alice, name, sent), send_to(alice, name, sent, slash="")
    assert (with_slash.status_code, with_slash.content) == (without.status_code, without.content)
    assert_problem(with_slash, 400, "invalid")


@each_endpoint
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_account_endpoints_refuse_other_methods_than_post(
    alice: Person, name: str, body: dict[str, Any], method: str
) -> None:
    with nothing_changes():
        answer = alice.http.request(method, f"/api/{name}/", json=body, headers=alice.bearer())
    assert_problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "POST, OPTIONS"
    assert not Mail.objects.exists()


@each_endpoint
@pytest.mark.parametrize(
    ("content", "code"),
    [(b"[]", "parse_error"), (b"{", "parse_error"), (b'{"a": NaN}', "parse_error")],
)
def test_account_endpoints_refuse_bodies_that_are_not_a_json_object(
    alice: Person, name: str, body: dict[str, Any], content: bytes, code: str
) -> None:
    assert_problem(send_to(alice, name, content), 400, code, ["body"])


@each_endpoint
def test_account_endpoints_refuse_malformed_fields_types_and_bodies(
    alice: Person, name: str, body: dict[str, Any]
) -> None:
    with nothing_changes():
        for field in body:
            for wrong in (None, True, 7, 1.5, [], ["x"], {}, {"x": "y"}, "", "x\x00", "x" * 5000):
                answer = send_to(alice, name, json.dumps({**body, field: wrong}).encode())
                assert answer.status_code == 400, (field, wrong)
                assert_problem(answer, 400, answer.json()["code"], [field])
        (field, value), *_ = body.items()
        twice = f'{{"{field}": "x", {json.dumps(body)[1:]}'
        assert_problem(send_to(alice, name, twice.encode()), 400, "duplicate_key", ["body"])
        assert value
        assert_problem(send_to(alice, name, json.dumps(body).encode(), "text/plain"), 415, "unsupported_media_type")
        assert_problem(send_to(alice, name, b"x" * 70_000), 413, "content_too_large")
    assert not Mail.objects.exists()


@each_endpoint
def test_account_endpoints_answer_a_page_to_a_browser(alice: Person, name: str, body: dict[str, Any]) -> None:
    anonymous = 401 if name in AUTHENTICATED else 405
    assert_page(alice.http.get(f"/api/{name}/", headers=HTML), anonymous)
    page = alice.http.get(f"/api/{name}/", headers=HTML | alice.bearer())
    assert_page(page, 405)
    for field in body:
        assert f"&quot;{field}&quot;" in page.text
    assert_problem(
        alice.http.post(f"/api/{name}/", json=body, headers={"Accept": "image/png", **alice.bearer()}),
        406,
        "not_acceptable",
    )


@each_endpoint
def test_password_change_and_email_change_require_an_access_token(
    alice: Person, name: str, body: dict[str, Any]
) -> None:
    answer = alice.http.post(f"/api/{name}/", json=body)
    if name in AUTHENTICATED:
        assert_problem(answer, 401, "not_authenticated")
    else:
        assert answer.status_code in (202, 400)


@each_endpoint
def test_account_endpoints_answer_503_while_the_database_is_down(
    alice: Person, database_down: DatabaseDown, name: str, body: dict[str, Any]
) -> None:
    with database_down():
        answer = send_to(alice, name, json.dumps(body).encode())
    assert_problem(answer, 503, "unavailable")
