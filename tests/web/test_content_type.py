"""Content type, content encoding and size of request bodies."""

import gzip
import json

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, send, valid_body

LIMIT = 64 * 1024
OTHER_TYPES = [
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/vnd.api+json",
    "application/problem+json",
    "application/jsonp",
    "application/json, text/plain",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/json; charset=bogus",
    "application/json; charset=utf-8; charset=utf-16",
    'application/json; charset="utf-16"',
    "application/*",
    "*/*",
    "json",
    "",
]
OUR_TYPES = [
    "application/json",
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'application/json; charset="utf-8"',
]


@pytest.mark.ledger("H-JSON-06", "H-JSON-07", "RFC9110-15.5.16", "ASVS-3.5.2", "REG-DJANGO-17", "CS-REST-1")
@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_api_refuses_other_content_types_than_json(alice: Person, content_type: str) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            answer = send(alice, name, valid_body(alice, name), Content_Type=content_type)
            assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", OUR_TYPES)
def test_api_accepts_json_content_types_in_any_case_with_charset_utf_8(alice: Person, content_type: str) -> None:
    for name in ENDPOINTS:
        answer = send(alice, name, valid_body(alice, name), Content_Type=content_type)
        assert answer.status_code == ENDPOINTS[name].success


@pytest.mark.ledger("H-JSON-12")
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, identity", "zstd", "bogus"])
def test_api_refuses_a_content_encoding_without_decompressing(alice: Person, encoding: str) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            good = json.dumps(valid_body(alice, name)).encode()
            for body in (good, gzip.compress(good), gzip.compress(bytes(1_000_000))):
                answer = send(alice, name, body, Content_Encoding=encoding)
                assert_problem(answer, 415, "unsupported_media_type")
                assert answer.headers["Accept-Encoding"] == "identity"


def test_api_accepts_content_encoding_identity(alice: Person) -> None:
    assert send(alice, "refresh", valid_body(alice, "refresh"), Content_Encoding="identity").status_code == 200


@pytest.mark.ledger("H-JSON-05", "RFC9110-15.5.14", "REG-DRF-01", "CS-REST-1")
@pytest.mark.parametrize("size", [LIMIT + 1, 70_000, 3_000_000])
def test_api_refuses_a_body_over_64_kilobytes(alice: Person, size: int) -> None:
    with nothing_changes():
        for name in ENDPOINTS:
            good = json.dumps(valid_body(alice, name)).encode()
            for body in (good.ljust(size), b"x" * size, good[:-1] + b', "x": "' + b"x" * size + b'"}'):
                assert_problem(send(alice, name, body), 413, "content_too_large")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_api_accepts_a_body_of_64_kilobytes(alice: Person, name: str) -> None:
    body = json.dumps(valid_body(alice, name)).encode().ljust(LIMIT)
    assert send(alice, name, body).status_code == ENDPOINTS[name].success


@pytest.mark.ledger("RFC9700-2.4", "ASVS-10.4.4")
def test_login_and_refresh_refuse_an_oauth_password_grant_form(alice: Person) -> None:
    form = {"grant_type": "password", "username": alice.email, "password": alice.password}
    with nothing_changes():
        for name in ("login", "refresh"):
            assert_problem(alice.http.post(ENDPOINTS[name].path, data=form), 415, "unsupported_media_type")
