"""Headers of any content: each is interpreted by its RFC or rejected with problem details."""

import json
from uuid import UUID

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.rate_limits.in_memory import clear
from tests.fuzz.strategies import DERANDOMIZED, HEADER_VALUES, send_raw
from tests.people import Person
from tests.problems import assert_problem

UNKNOWN = json.dumps({"refresh_token": str(UUID(int=0x4 << 76 | 1 << 63))}).encode()
SCHEMES = st.sampled_from(["Bearer", "bearer", "BEARER", "Basic", "Token", "bear er", ""])
RANGES = st.sampled_from(["application/json", "application/*", "*/*", "text/html", "text/*", "image/png", "*", ";q=0"])
WEIGHTS = st.sampled_from(["", ";q=0.5", "; q=0", ";q=x", ";charset=utf-8", ";indent=4", ";"])
TYPES = st.sampled_from(["application/json", "Application/JSON", "application/*", "*/*", "text/json", "application"])
CHARSETS = st.sampled_from(["", ";charset=utf-8", '; charset="UTF-8"', ";charset=latin-1", ";", ";charset", ";x=y"])


@DERANDOMIZED
@given(HEADER_VALUES | st.builds("{} {}".format, SCHEMES, HEADER_VALUES))
@example("Bearer")
@example("Bearer \x00")
def test_me_with_any_authorization_header_returns_invalid_token_or_not_authenticated(
    http: httpx.Client, header: str
) -> None:
    answer = send_raw("GET", "/api/me/", HTTP_AUTHORIZATION=header)
    bearer = header.partition(" ")[0].lower() == "bearer"
    assert_problem(answer, 401, "invalid_token" if bearer else "not_authenticated")


@DERANDOMIZED
@given(header=HEADER_VALUES | st.lists(st.builds("{}{}".format, RANGES, WEIGHTS), max_size=3).map(", ".join))
def test_me_with_any_accept_header_returns_json_html_or_406(alice: Person, header: str) -> None:
    answer = send_raw("GET", "/api/me/", HTTP_ACCEPT=header, HTTP_AUTHORIZATION=alice.bearer()["Authorization"])
    if answer.status_code == 200:
        kind = answer.headers["Content-Type"].partition(";")[0]
        assert kind in ("application/json", "text/html")
        accepted = {part.partition(";")[0].strip() for part in header.split(",")}
        assert accepted & {kind, f"{kind.partition('/')[0]}/*", "*/*"} or not header
    else:
        assert_problem(answer, 406, "not_acceptable")


@DERANDOMIZED
@given(HEADER_VALUES | st.builds("{}{}".format, TYPES, CHARSETS))
def test_refresh_with_any_content_type_but_json_in_utf_8_returns_415(http: httpx.Client, header: str) -> None:
    clear()
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    supported = media_type == "application/json" and set(parameters) <= {"charset=utf-8", 'charset="utf-8"'}
    answer = send_raw("POST", "/api/refresh/", UNKNOWN, header)
    if supported:
        assert_problem(answer, 401, "invalid_refresh_token")
    else:
        assert_problem(answer, 415, "unsupported_media_type")


@DERANDOMIZED
@given(st.sampled_from(["IDENTITY", "gzip", "br", "identity, gzip"]) | HEADER_VALUES)
def test_refresh_with_any_content_encoding_but_identity_returns_415(http: httpx.Client, header: str) -> None:
    clear()
    answer = send_raw("POST", "/api/refresh/", UNKNOWN, "application/json", HTTP_CONTENT_ENCODING=header)
    if header.lower() == "identity":
        assert_problem(answer, 401, "invalid_refresh_token")
    else:
        assert_problem(answer, 415, "unsupported_media_type")
