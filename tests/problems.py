"""The assertions for errors on the wire: problem documents (RFC 9457), and pages for people's browsers."""

import re
from collections.abc import Sequence

import httpx

MEMBERS = ["type", "title", "status", "detail", "code"]
MEMBERS_BY_CODE = {
    "second_factor_required": ["ticket", "factors", "expires_in"],
    "step_up_required": ["factors", "max_age"],
    "insufficient_scope": ["scope"],
}
INTERNAL_DETAILS = re.compile(
    r"Traceback|[A-Z]\w+(Error|Exception|DoesNotExist)\b|<class|File \"|\.py\b|line \d|column \d|char \d|Expecting"
    r"|SELECT|INSERT|DELETE FROM|latchkey_|constraint|sqlite|psycopg|postgres|django|rest_framework|jwt|argon2|python",
    re.IGNORECASE,
)
"""Words of parsers, databases, classes and files, which a client must not see; error codes contain none of them."""


def assert_problem(answer: httpx.Response, status: int, code: str, fields: Sequence[str] | None = None) -> None:
    """Assert that the response is this error, with all members and the headers that belong to its status."""
    request_line = f"{answer.request.method} {answer.request.url.path}"
    assert (answer.status_code, answer.headers.get("Content-Type")) == (status, "application/problem+json"), (
        request_line
    )
    problem = answer.json()
    further = [*_further_members(status, code), *(["enrol"] if "enrol" in problem else [])]
    assert list(problem) == [*MEMBERS, *further], request_line
    assert (problem["status"], problem["code"]) == (status, code), request_line
    assert problem["type"] == f"urn:latchkey:problem:{code}", request_line
    assert all(isinstance(problem[key], str) and problem[key] for key in ("title", "detail")), request_line
    if status == 400:
        _assert_errors(problem["errors"], fields)
    assert "no-store" in answer.headers.get("Cache-Control", ""), request_line
    assert not INTERNAL_DETAILS.search(_strip_codes(answer.text)), answer.text
    _assert_headers(answer, status, code)


def _further_members(status: int, code: str) -> list[str]:
    if status in (429, 503):
        return ["retry_after"]
    if code in MEMBERS_BY_CODE:
        return MEMBERS_BY_CODE[code]
    return ["errors", *(["min_length"] if code == "password_too_short" else [])] if status == 400 else []


def _assert_errors(errors: dict[str, list[str]], fields: Sequence[str] | None) -> None:
    assert errors
    assert fields is None or sorted(errors) == sorted(fields), errors
    for sentences in errors.values():
        assert sentences
        assert all(isinstance(sentence, str) and sentence for sentence in sentences)


def _assert_headers(answer: httpx.Response, status: int, code: str) -> None:
    challenges = {"invalid_token": 'Bearer error="invalid_token"'}
    challenges |= {"invalid_client": 'Basic realm="Latchkey", charset="UTF-8"'}
    expected = challenges.get(code, "Bearer") if status == 401 else None
    if code == "insufficient_scope":
        expected = f'Bearer error="insufficient_scope", scope="{answer.json()["scope"]}"'
    if code == "insufficient_user_authentication":  # followed by what was asked for
        expected = answer.headers["WWW-Authenticate"]
        assert expected.startswith(f'Bearer error="{code}", error_description="')
    if code == "insufficient_scope":
        expected = f'Bearer error="insufficient_scope", scope="{answer.json()["scope"]}"'
    assert answer.headers.get("WWW-Authenticate") == expected
    if status == 405:
        assert answer.headers.get("Allow")
    if status == 415:
        takes_form = answer.request.url.path.strip("/") in ("api/introspect", "api/revoke")
        kind = "application/x-www-form-urlencoded" if takes_form else "application/json"
        assert answer.headers.get("Accept") == kind
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) == answer.json()["retry_after"] >= 1
        assert type(answer.json()["retry_after"]) is int


def _strip_codes(text: str) -> str:
    return re.sub(r'"(type|code)": "[^"]*"', "", text)


def assert_error_page(answer: httpx.Response, status: int, heading: str) -> None:
    """Assert that the response is the page of an error, which tells no internal detail and says what to do."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert re.findall(r"<h1>(.*?)</h1>", answer.text) == [heading]
    assert re.search(r'<p role="alert">[^<]{20,}</p>', answer.text), answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Accept" in answer.headers["Vary"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    without_settings = re.sub(r"LATCHKEY_[A-Z_]+", "", answer.text)  # a page may name a variable to the operator
    assert not INTERNAL_DETAILS.search(without_settings), answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
