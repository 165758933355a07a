"""Form bodies of POST /api/introspect/ and /api/revoke/, which are parsed as strictly as JSON is elsewhere."""

import gzip
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.oauth.conftest import ResourceServer
from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

FORM = "application/x-www-form-urlencoded"
each_endpoint = pytest.mark.parametrize("endpoint", ["introspect", "revoke"])
OTHER_TYPES = [
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/*",
    "",
    "form",
    FORM + "x",
]
OTHER_TYPES += [f"{FORM}; charset=utf-16", f"{FORM}; charset=latin-1", f"{FORM}, text/plain", f"{FORM}; boundary=x"]
MALFORMED = [b"token", b"token=x&&a=b", b"&token=x", b"token=x&", b"token=%ff", b"token=\xc3\xa9", b"{}", b"\x00"]
MALFORMED += [b"token=%ed%a0%80", b"\xef\xbb\xbftoken=x"]
MISSING: list[bytes] = [b"", b"token=", b"token_type_hint=access_token", b"Token=x", b"token_type_hint=", b"token%20=x"]
TWICE = [b"token=x&token=x", b"token=x&token=y", b"token=x&%74oken=y"]


def send(
    payments: ResourceServer, endpoint: str, body: bytes, content_type: str = FORM, **headers: str
) -> httpx.Response:
    sent = {"Content-Type": content_type} | {name.replace("_", "-"): value for name, value in headers.items()}
    return payments.http.post(
        f"/api/{endpoint}/", content=body, headers=sent, auth=(payments.client_id, payments.secret)
    )


@each_endpoint
def test_introspect_and_revoke_refuse_malformed_forms_with_400(
    payments: ResourceServer, alice: Person, endpoint: str
) -> None:
    with nothing_changes():
        for body in MALFORMED:
            assert_problem(send(payments, endpoint, body), 400, "parse_error", ["body"])
        for body in TWICE:
            assert_problem(send(payments, endpoint, body), 400, "invalid", ["token"])
        assert_problem(send(payments, endpoint, b"token=x&token_type_hint=a&token_type_hint=a"), 400, "invalid")
        for body in MISSING:
            assert_problem(send(payments, endpoint, body), 400, "invalid", ["token"])
        assert_problem(send(payments, endpoint, b"token=a%00b"), 400, "invalid", ["token"])


@each_endpoint
def test_introspect_and_revoke_refuse_other_content_types_and_encodings_with_415(
    payments: ResourceServer, alice: Person, endpoint: str
) -> None:
    good = urlencode({"token": alice.access_token}).encode()
    with nothing_changes():
        for content_type in OTHER_TYPES:
            assert_problem(send(payments, endpoint, good, content_type), 415, "unsupported_media_type")
        for body in (good, gzip.compress(good)):
            assert_problem(send(payments, endpoint, body, Content_Encoding="gzip"), 415, "unsupported_media_type")


@each_endpoint
def test_introspect_and_revoke_refuse_forms_over_64_kilobytes_with_413(
    payments: ResourceServer, alice: Person, endpoint: str
) -> None:
    good = urlencode({"token": alice.access_token, "more": ""}).encode()
    with nothing_changes():
        for size in (65_537, 3_000_000):
            assert_problem(send(payments, endpoint, good.ljust(size, b"x")), 413, "content_too_large")
        for many in (b"&".join(b"%d=" % n for n in range(9000)), b"=" * 60_000, b"%" * 60_000):
            assert send(payments, endpoint, many).status_code == 400
    assert send(payments, endpoint, good.ljust(65_536, b"x")).status_code == 200


@each_endpoint
@pytest.mark.parametrize("content_type", [FORM, FORM.upper(), f"{FORM};charset=UTF-8", f'{FORM}; charset="utf-8"'])
def test_introspect_and_revoke_accept_percent_encoded_forms_in_any_media_type_case(
    payments: ResourceServer, alice: Person, endpoint: str, content_type: str
) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in alice.access_token.encode())
    answer = send(payments, endpoint, f"a=1&a=2&b=%c3%a9&token=&t%6fken={encoded}".encode(), content_type)
    assert answer.status_code == 200
    assert "true" in answer.text or "revoked" in answer.text


@each_endpoint
@pytest.mark.parametrize("slash", ["/", ""])
def test_introspect_and_revoke_work_with_and_without_trailing_slash(
    payments: ResourceServer, alice: Person, endpoint: str, slash: str
) -> None:
    url, auth = f"/api/{endpoint}{slash}", (payments.client_id, payments.secret)
    assert payments.http.post(url, data={"token": alice.access_token}, auth=auth).status_code == 200


def test_introspect_and_revoke_ignore_a_token_in_the_query(payments: ResourceServer, alice: Person) -> None:
    for endpoint in ("introspect", "revoke"):
        url = f"/api/{endpoint}/?token={alice.access_token}"
        answer = payments.http.post(url, data={"a": "b"}, auth=(payments.client_id, payments.secret))
        assert_problem(answer, 400, "invalid", ["token"])
    assert alice.me().status_code == 200


def test_introspect_and_revoke_answer_406_before_acting_if_accept_excludes_json(
    payments: ResourceServer, alice: Person
) -> None:
    for endpoint in ("introspect", "revoke"):
        answer = send(payments, endpoint, f"token={alice.access_token}".encode(), Accept="image/png")
        assert_problem(answer, 406, "not_acceptable")
    assert alice.me().status_code == 200


def test_browsable_page_of_revoke_sends_a_form(alice: Person) -> None:
    page = alice.http.get("/api/revoke/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["Content-Type"]) == (405, "text/html; charset=utf-8")
    assert "token=&amp;token_type_hint=" in page.text
    answer: Any = alice.http.post("/api/revoke/", data={"token": alice.access_token}, headers={"Accept": "text/html"})
    assert "Token revoked." in answer.text
    assert alice.me().status_code == 401


@pytest.mark.parametrize("path", ["introspect", "verify"])
def test_introspect_and_verify_answer_json_to_a_browser(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/api/{path}/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
