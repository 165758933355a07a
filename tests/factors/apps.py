"""An authenticator app for tests, which calculates codes as RFC 6238 says, without the library of the service."""

import hmac
from base64 import b32decode
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx

from latchkey.core import clock
from tests.people import Person, try_login


def code_at(secret: bytes | str, at: datetime, steps: int = 0) -> str:
    """Return the code that an app with this secret (bytes, or base32) shows at a time, or so many steps later."""
    key = b32decode(secret) if isinstance(secret, str) else secret
    step = int(at.timestamp()) // 30 + steps
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def wrong_code(secret: bytes | str, at: datetime) -> str:
    """Return a code that the app shows at no step near this time."""
    near = {code_at(secret, at, steps) for steps in range(-5, 6)}
    return next(code for code in ("000000", "111111", "222222", "333333") * 4 if code not in near)


def read_uri(uri: str) -> tuple[str, dict[str, str]]:
    """Return the label and the parameters of an otpauth:// URI."""
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    parameters = {name: value for name, (value,) in parse_qs(parts.query, strict_parsing=True).items()}
    return parts.path.removeprefix("/"), parameters


def begin(person: Person) -> str:
    """Begin to set up an authenticator app, and return its secret in base32."""
    answer = person.http.post("/api/me/totp/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    return str(answer.json()["secret"])


def try_confirm(person: Person, code: str) -> httpx.Response:
    return person.http.post("/api/me/totp/confirm/", json={"code": code}, headers=person.bearer())


@dataclass
class App:
    """A confirmed authenticator app of a person, and the recovery codes that came with it."""

    secret: str
    recovery_codes: list[str]
    used: int

    def next_code(self) -> str:
        """Return a code that was not used before; the window allows one more at the time of the last one."""
        self.used = max(self.used + 1, int(clock.now().timestamp()) // 30 - 1)
        return code_at(self.secret, datetime.fromtimestamp(30 * self.used, UTC))


def add_app(person: Person) -> App:
    """Set up an authenticator app for a person who has just signed in, with the code of the step before."""
    secret, now = begin(person), clock.now()
    answer = try_confirm(person, code_at(secret, now, -1))
    assert answer.status_code == 200, answer.text
    return App(secret, answer.json()["recovery_codes"], int(now.timestamp()) // 30 - 1)


def try_second_factor(http: httpx.Client, ticket: str, **answer: str) -> httpx.Response:
    return http.post("/api/login/second-factor/", json={"ticket": ticket, **answer})


def request_ticket(person: Person) -> str:
    """Sign in with the password of an account with a second factor, and return the ticket for the second step."""
    answer = try_login(person.http, person.email, person.password)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required"), answer.text
    return str(answer.json()["ticket"])


def sign_in(person: Person, app: App) -> Person:
    """Return the person with the tokens of a new session, opened with the password and the app."""
    answer = try_second_factor(person.http, request_ticket(person), code=app.next_code())
    assert answer.status_code == 200, answer.text
    return replace(person, spent=[], **answer.json())
