"""The steps of a recovery, as HTTP requests, and the work of a mail worker between them."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx

from latchkey.core import clock
from latchkey.factor_recovery.reminders import process_recoveries
from tests.factors.apps import code_at
from tests.outbox import SentMail, last_code_mail, sent_mails
from tests.people import Person, try_login

WARNING, DUE = "factor_recovery_requested", "factor_recovery"


@dataclass
class Owner:
    """A person, and the secret of the authenticator app."""

    person: Person
    secret: str

    @property
    def http(self) -> httpx.Client:
        return self.person.http

    def request_ticket(self) -> str:
        """Sign in with the password, and return the ticket for the second step."""
        answer = try_login(self.http, self.person.email, self.person.password)
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required"), answer.text
        return str(answer.json()["ticket"])

    def try_request(self) -> httpx.Response:
        return try_request(self.http, self.request_ticket())

    def request(self) -> str:
        """Start a recovery, and return when it is due."""
        answer = self.try_request()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["due_at"])

    def sign_in(self) -> None:
        """Sign in with the app, on another device."""
        code = code_at(self.secret, clock.now())
        answer = self.http.post("/api/login/second-factor/", json={"ticket": self.request_ticket(), "code": code})
        assert answer.status_code == 200, answer.text


def try_request(http: httpx.Client, ticket: str) -> httpx.Response:
    return http.post("/api/login/recovery/", json={"ticket": ticket})


def try_confirm(http: httpx.Client, **presented: str) -> httpx.Response:
    return http.post("/api/login/recovery/confirm/", json=presented)


def verify_address(person: Person) -> None:
    """Verify the e-mail address of a person by the code of a mail."""
    person.http.post("/api/email/verify/resend/", json={"email": person.email})
    fields = last_code_mail(person.email).code_fields
    assert person.http.post("/api/email/verify/", json=fields).status_code == 200


def set_up_app(person: Person) -> str:
    """Set up an authenticator app at sign-in, as the policy requires, and return its secret; a code was used."""
    ticket = try_login(person.http, person.email, person.password).json()["ticket"]
    secret = str(person.http.post("/api/login/enrolment/totp/", json={"ticket": ticket}).json()["secret"])
    fields = {"ticket": ticket, "code": code_at(secret, clock.now(), -1)}
    answer = person.http.post("/api/login/enrolment/totp/confirm/", json=fields)
    assert answer.status_code == 200, answer.text
    person.access_token, person.refresh_token = answer.json()["access_token"], answer.json()["refresh_token"]
    return secret


def run_worker() -> list[str]:
    """Let a mail worker process recoveries until nothing is due; return the kinds of the new mails."""
    before = len(sent_mails())
    while process_recoveries():
        pass
    return [mail.kind for mail in sent_mails()[before:]]


def cancel_token(mail: SentMail) -> str:
    """Return the token of the link that cancels, out of a mail about a recovery."""
    link = urlsplit(str(mail.context["cancel_link"]))
    assert link.path == "/cancel-recovery/"
    (token,) = parse_qs(link.query)["token"]
    return token
