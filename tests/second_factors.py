"""People of the tests with a second factor, which they set up through the public API."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from latchkey.core import clock
from tests.factors.apps import code_at
from tests.people import Person, try_login


@dataclass
class Authenticator:
    """An authenticator app, of a person or of somebody who has copied its secret."""

    secret: str

    def code(self, steps: int = 0) -> str:
        """Return the code of the present time step, or of one that many steps away."""
        return code_at(self.secret, clock.now(), steps)


@dataclass
class EnrolledPerson:
    """A person with an authenticator app and recovery codes."""

    person: Person
    app: Authenticator
    recovery_codes: list[str] = field(default_factory=list)

    @property
    def http(self) -> httpx.Client:
        return self.person.http

    def try_password(self) -> httpx.Response:
        return try_login(self.http, self.person.email, self.person.password)

    def ticket(self) -> str:
        answer = self.try_password()
        assert answer.status_code == 403, answer.text
        return str(answer.json()["ticket"])

    def try_second_factor(self, ticket: str, **answer: Any) -> httpx.Response:
        return try_second_factor(self.http, ticket, **answer)

    def sign_in(self, code: str | None = None) -> "EnrolledPerson":
        answer = self.try_second_factor(self.ticket(), code=code or self.app.code())
        assert answer.status_code == 200, answer.text
        pair = answer.json()
        self.person.access_token, self.person.refresh_token = pair["access_token"], pair["refresh_token"]
        return self


def try_second_factor(http: httpx.Client, ticket: str, **answer: Any) -> httpx.Response:
    return http.post("/api/login/second-factor/", json={"ticket": ticket, **answer})


def enrol(person: Person) -> EnrolledPerson:
    """Set up an authenticator app for a signed-in person, whose session has just been opened.

    The code of the time step before confirms it, so that the present one can still be used to sign in.
    """
    begun = person.http.post("/api/me/totp/", headers=person.bearer())
    assert begun.status_code == 200, begun.text
    app = Authenticator(begun.json()["secret"])
    confirmed = person.http.post("/api/me/totp/confirm/", json={"code": app.code(-1)}, headers=person.bearer())
    assert confirmed.status_code == 200, confirmed.text
    return EnrolledPerson(person, app, confirmed.json()["recovery_codes"])
