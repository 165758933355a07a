"""The fast path of the token endpoint answers as Django REST Framework does, byte for byte (docs/decisions/0008)."""

import io
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from latchkey.applications.models import ClientCredential, hash_secret
from latchkey.oauth.token_fast_path import parse_token
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW, clear
from tests.fixtures.database import DatabaseDown
from tests.oauth.applications import GRANT, add_service
from tests.support.simultaneous import decode_claims

BASIC = {"Authorization": "Basic " + b64encode(b"billing:right").decode()}
AUDIENCES = ["https://a.example", "https://b.example"]
REQUESTS: dict[str, dict[str, Any]] = {
    "a secret in the header": {"data": GRANT, "headers": BASIC},
    "a secret in the body": {"data": GRANT | {"client_id": "billing", "client_secret": "right"}},
    "a scope and resources": {"data": GRANT | {"scope": "b a", "resource": AUDIENCES}, "headers": BASIC},
    "a wrong secret": {"data": GRANT | {"client_id": "billing", "client_secret": "wrong"}},
    "another scope": {"data": GRANT | {"scope": "c"}, "headers": BASIC},
    "a scope that is no name": {"data": GRANT | {"scope": "é"}, "headers": BASIC},
    "another resource": {"data": GRANT | {"resource": "x"}, "headers": BASIC},
    "an id that is a number": {"data": GRANT | {"client_id": "123", "client_secret": "number"}},
    "another grant": {"data": {"grant_type": "password"}, "headers": BASIC},
    "no grant": {"data": {"x": "y"}, "headers": BASIC},
    "no credential": {"data": GRANT},
    "two credentials": {"data": GRANT | {"client_secret": "right"}, "headers": BASIC},
    "a parameter twice": {"data": {"grant_type": ["client_credentials"] * 2}, "headers": BASIC},
    "another media type": {"json": {}, "headers": BASIC},
    "nothing": {"content": b"", "headers": BASIC},
    "a compressed body": {"data": GRANT, "headers": BASIC | {"Content-Encoding": "gzip"}},
    "another origin": {"data": GRANT, "headers": BASIC | {"Origin": "https://evil.example.com"}},
    "another host": {"data": GRANT, "headers": BASIC | {"Host": "evil.example.com"}},
    "another Accept": {"data": GRANT, "headers": BASIC | {"Accept": "text/html"}},
}


@pytest.fixture
def behind(http: httpx.Client) -> Iterator[httpx.Client]:
    """A client of Django's application behind the fast path, with the same applications."""
    from latchkey.wsgi import application

    add_service(http, "billing", ["a", "b"], AUDIENCES)
    add_service(http, "123")
    for client_id, secret in (("billing", "right"), ("123", "number")):
        ClientCredential.objects.filter(client_id=client_id).update(digest=hash_secret(secret))
    transport = httpx.WSGITransport(app=application.django_app, raise_app_exceptions=False)
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client


def normalize(answer: httpx.Response) -> Any:
    """Return an answer as it must be either way: two tokens differ in their id and their second."""
    body, headers = answer.json(), dict(answer.headers)
    if "access_token" in body:
        claims = decode_claims(body["access_token"])
        body["access_token"] = claims | {"jti": None, "iat": None, "exp": claims["exp"] - claims["iat"]}
    elif answer.status_code >= 500:
        assert headers.pop("x-request-id")
    return answer.status_code, headers, list(body.items())


def on_both_paths(fast: httpx.Client, behind: httpx.Client, path: str, asked: dict[str, Any]) -> list[Any]:
    return [normalize(client.post(path, **asked)) for client in (fast, behind)]


@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/token"])
@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS)
def test_token_endpoint_answers_alike_on_the_fast_path_and_through_django(
    http: httpx.Client, behind: httpx.Client, asked: dict[str, Any], path: str
) -> None:
    fast, django = on_both_paths(http, behind, path, asked)
    assert fast == django


def test_limit_is_answered_alike_on_the_fast_path_and_through_django(
    http: httpx.Client, behind: httpx.Client, clock: Any
) -> None:
    wrong: dict[str, Any] = {"data": GRANT | {"client_id": "billing", "client_secret": "wrong"}}
    answers = []
    for client in (http, behind):
        clear()
        for _ in range(MAX_PER_WINDOW):
            client.post("/oauth/token/", **wrong)
        answers.append(normalize(client.post("/oauth/token/", **wrong)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 429


def test_outage_and_bug_are_answered_alike_on_the_fast_path_and_through_django(
    http: httpx.Client, behind: httpx.Client, database_down: DatabaseDown, settings: Any
) -> None:
    with database_down():
        fast, django = on_both_paths(http, behind, "/oauth/token/", REQUESTS["a secret in the header"])
    assert fast == django
    assert fast[0] == 503
    settings.SECRET_KEY = 1  # no key can be derived from a number
    fast, django = on_both_paths(http, behind, "/oauth/token/", REQUESTS["a secret in the header"])
    assert fast == django
    assert fast[0] == 500


def test_fast_path_parses_the_documented_requests() -> None:
    body = b"grant_type=client_credentials&client_id=billing&client_secret=right&scope=a&resource=x&resource=y"
    kind, stream = "application/x-www-form-urlencoded", io.BytesIO(body)
    parsed = parse_token({"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": stream})
    assert parsed == (("billing", "right"), (("a",), ("x", "y")))
