"""An intruder of the tests: somebody with everything but the second factor of an account."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from latchkey.accounts.models import User
from latchkey.core import clock
from latchkey.factors.available import available_factors
from latchkey.sessions.models import Session
from tests.factors.apps import wrong_code
from tests.outbox import last_code_mail
from tests.passkeys.requests import add, begin
from tests.people import Person, try_login
from tests.second_factors import EnrolledPerson, enrol
from tests.support.admin_pages import Browser, sign_in
from tests.support.software_authenticator import SoftwareAuthenticator

WRONG, BOBS, BOBS_NEW, VICTIMS = "a wrong code", "what bob has", "a new passkey of bob", "a ticket of the victim"
"""What `typed` replaces in a form."""


@dataclass
class Intruder:
    """Somebody with everything of the victim but the second factor.

    victim has tokens of a session from before the factor. bob is the intruder's own account, with an app and a passkey.
    """

    victim: Person
    browser: Browser
    bob: EnrolledPerson
    bobs_phone: SoftwareAuthenticator
    wrong_code: str

    @property
    def http(self) -> httpx.Client:
        return self.victim.http

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers=self.victim.bearer())

    def ticket(self) -> str:
        return str(try_login(self.http, self.victim.email, self.victim.password).json()["ticket"])

    def assertion(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """Return an answer of the intruder's own passkey, whatever passkeys the options ask for."""
        return self.bobs_phone.get({**options, "allowCredentials": []}, **lies)

    def typed(self, name: str, value: str) -> str:
        """Return what the intruder types into the field of this name for a value of PAGES."""
        if value == BOBS_NEW:
            person = self.bob.person
            begun = person.http.post("/api/me/passkeys/options/", headers=person.bearer()).json()
            return json.dumps(SoftwareAuthenticator().create({**begun["options"], "excludeCredentials": []}))
        if value == BOBS and name == "passkey":
            return json.dumps(self.assertion(begin(self.http)["options"]))
        own = {"code": self.bob.app.code(), "recovery_code": self.bob.recovery_codes[0]}
        return {WRONG: self.wrong_code, BOBS: own.get(name, ""), VICTIMS: self.ticket()}.get(value, value)

    def mailed(self) -> list[str]:
        """Return the code and the token of a mail to the victim."""
        self.http.post("/api/password/reset/", json={"email": self.victim.email})
        mail = last_code_mail(self.victim.email)
        return [mail.code, mail.token]


def break_in(http: httpx.Client, kind: str) -> Intruder:
    """Return an intruder, after the victim has set up this kind of factor: `app` or `passkey`.

    The victim is an operator, so that all pages are open to her. The clock has to stand still.
    """
    bob, bobs_phone = enrol(Person(http, "bob@example.com").register().login()), SoftwareAuthenticator()
    add(bob.person, bobs_phone)
    alice = Person(http, "alice@example.com").register()
    User.objects.filter(pk=alice.id).update(is_staff=True, is_superuser=True)
    before, browser = Person(http, alice.email, id=alice.id).login(), sign_in(alice.email)
    assert browser.get("/admin/").status_code == browser.get("/account/security/").status_code == 200
    alice.login()
    if kind == "app":
        return Intruder(before, browser, bob, bobs_phone, wrong_code(enrol(alice).app.secret, clock.now()))
    add(alice, SoftwareAuthenticator())
    return Intruder(before, browser, bob, bobs_phone, "000000")


def factors_and_sessions(user_id: int) -> tuple[Any, ...]:
    sessions = Session.objects.filter(user=user_id).order_by("pk").values_list("pk", "proof", "authenticated_at")
    return User.objects.get(pk=user_id).second_factors, available_factors(user_id), list(sessions)
