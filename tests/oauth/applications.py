"""Applications for tests, with a secret or a key pair, and the assertion for errors in the form of RFC 6749."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from latchkey.applications.models import Application
from latchkey.applications.secrets import add_secret
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.models import Scope
from latchkey.tokens.jwk import generate, public_jwk
from tests.problems import INTERNAL_DETAILS

TOKEN, GRANT = "/oauth/token/", {"grant_type": "client_credentials"}
ISSUER = "http://127.0.0.1:8000"
ORDERS, STOCK = "https://orders.example.com", "https://stock.example.com"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class Service:
    """An application of kind service, with a client secret."""

    http: httpx.Client
    client_id: str
    secret: str = field(default="", repr=False)

    @property
    def row(self) -> Application:
        return Application.objects.get(client_id=self.client_id)

    def ask(self, **parameters: Any) -> httpx.Response:
        """Ask for a token with the secret by HTTP Basic."""
        return self.http.post(TOKEN, data=GRANT | parameters, auth=(self.client_id, self.secret))

    def token(self, **parameters: Any) -> str:
        """Return a new access token."""
        answer = self.ask(**parameters)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


def add_service(
    http: httpx.Client, client_id: str, scopes: Sequence[str] = (), resources: Sequence[str] = (), **columns: Any
) -> Service:
    """Add an application with a secret, and the scopes that do not exist yet."""
    application = Application.objects.create(client_id=client_id, resources=[*resources], **columns)
    for name in scopes:
        scope, _ = Scope.objects.get_or_create(name=name, defaults={"description": f"To {name}."})
        application.scopes.add(scope)
    return Service(http, client_id, add_secret(client_id, COMMAND_LINE) or "")


class KeyPair:
    """A key pair of an application, and the assertions that it signs."""

    def __init__(self, algorithm: str = "EdDSA") -> None:
        key = generate(algorithm)
        self.algorithm, self.kid, self.private, self.public = algorithm, key.kid, key.signing_key, public_jwk(key)

    def claims(self, client_id: str, **changes: Any) -> dict[str, Any]:
        """Return the claims of an assertion; a change to None leaves a claim out."""
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": "1"}
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def sign(self, claims: dict[str, Any], algorithm: str = "", **header: Any) -> str:
        """Sign an assertion, with a `kid` unless the header is changed."""
        headers = {name: value for name, value in ({"kid": self.kid} | header).items() if value is not None}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.private, algorithm or self.algorithm, headers)

    def assertion(self, client_id: str, **changes: Any) -> dict[str, str]:
        """Return the parameters of client authentication by a good assertion, with changed claims."""
        return as_parameters(self.sign(self.claims(client_id, **changes)))


def as_parameters(assertion: str) -> dict[str, str]:
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}


def assert_oauth_error(answer: httpx.Response, status: int, error: str) -> None:
    """Assert that the response is this error in the form of RFC 6749 section 5.2, with the headers of its status."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json"), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert list(body) == ["error", "error_description"]
    assert body["error"] == error, answer.text
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", body["error_description"])
    assert not INTERNAL_DETAILS.search(body["error_description"]), answer.text
    challenge = 'Basic realm="Latchkey", charset="UTF-8"' if status == 401 else None
    assert answer.headers.get("WWW-Authenticate") == challenge
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    assert bool(answer.headers.get("X-Request-ID")) == (status >= 500)
