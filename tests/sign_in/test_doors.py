"""Every way to tokens, and every way into a browser session, tried without the second factor: none lets anybody in.

Both tables are compared with what there is: the operations of the OpenAPI document that answer a token, and the pages
whose view can sign a browser in. A new one fails here until somebody has tried it without the factor. The intruder has
everything but the factor: password, mailbox, tokens and browser from before it was set up, and an account with factors
of its own.
"""

import dis
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.admin.session_store import SessionStore
from latchkey.core import clock as clocks
from latchkey.factors.available import available_factors
from latchkey.sessions.models import Session
from latchkey.sign_in.browser_session import admit_browser, remember_proof
from tests.factors.apps import wrong_code
from tests.outbox import last_code_mail
from tests.passkeys.requests import add, begin
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.second_factors import EnrolledPerson, enrol, try_second_factor
from tests.security.test_access_rules import walk_routes
from tests.support.admin_pages import Browser
from tests.support.admin_pages import sign_in as sign_in_to_admin
from tests.support.software_authenticator import SoftwareAuthenticator

TOKENS = {"access_token", "refresh_token"}
SetPolicy = Callable[..., None]


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

    def mailed(self) -> list[str]:
        """Return the code and the token of a mail to the victim."""
        self.http.post("/api/password/reset/", json={"email": self.victim.email})
        mail = last_code_mail(self.victim.email)
        return [mail.code, mail.token]


@pytest.fixture(params=["app", "passkey"])
def intruder(
    request: pytest.FixtureRequest, clock: time_machine.Traveller, http: httpx.Client, set_policy: SetPolicy
) -> Intruder:
    """An intruder, after the victim (an operator, so that all pages are open to her) has set up one kind of factor."""
    bob, bobs_phone = enrol(Person(http, "bob@example.com").register().login()), SoftwareAuthenticator()
    add(bob.person, bobs_phone)
    alice = Person(http, "alice@example.com").register()
    User.objects.filter(pk=alice.id).update(is_staff=True, is_superuser=True)
    before, browser = Person(http, alice.email, id=alice.id).login(), sign_in_to_admin(alice.email)
    assert browser.get("/admin/").status_code == 200
    alice.login()
    wrong = "000000"
    if request.param == "app":
        wrong = wrong_code(enrol(alice).app.secret, clocks.now())
    else:
        add(alice, SoftwareAuthenticator())
    set_policy(second_factor="required")  # so that enrolment is open
    return Intruder(before, browser, bob, bobs_phone, wrong)


# The operations of the API


def try_password(intruder: Intruder) -> Iterator[httpx.Response]:
    for email in (intruder.victim.email, intruder.victim.email.upper(), f" {intruder.victim.email} "):
        yield try_login(intruder.http, email, intruder.victim.password)


def try_without_the_factor(intruder: Intruder) -> Iterator[httpx.Response]:
    http = intruder.http
    for text in (intruder.wrong_code, "", intruder.bob.app.code(), *intruder.mailed()):
        yield try_second_factor(http, intruder.ticket(), code=text)
    for text in (*intruder.bob.recovery_codes[:1], "", *intruder.mailed()):
        yield try_second_factor(http, intruder.ticket(), recovery_code=text)
    ticket = intruder.ticket()
    options = begin(http)["options"]
    yield try_second_factor(http, ticket, passkey=intruder.assertion(options))
    own = http.post("/api/login/second-factor/passkey/", json={"ticket": ticket})
    if own.status_code == 200:
        yield try_second_factor(http, ticket, passkey=intruder.assertion(own.json()["options"]))
    for other in (intruder.victim.access_token, intruder.victim.refresh_token, begin(http)["ticket"], "", "A" * 43):
        yield try_second_factor(http, other, code=intruder.wrong_code)
    yield http.post("/api/login/second-factor/", json={"ticket": ticket})
    yield http.post("/api/login/second-factor/", json={"ticket": ticket, "password": intruder.victim.password})


def try_own_passkey(intruder: Intruder) -> Iterator[httpx.Response]:
    """The signature is right, and names the account of the victim."""
    handle = bytes(User.objects.get(pk=intruder.victim.id).user_handle or b"\0" * 32)
    for lies in ({"user_handle": handle}, {"user_handle": None}):
        begun = begin(intruder.http)
        body = {"ticket": begun["ticket"], "passkey": intruder.assertion(begun["options"], **lies)}
        yield intruder.http.post("/api/login/passkey/", json=body)
    options = begin(intruder.http)["options"]
    body = {"ticket": intruder.ticket(), "passkey": intruder.assertion(options)}
    yield intruder.http.post("/api/login/passkey/", json=body)


def try_to_enrol_an_app(intruder: Intruder) -> Iterator[httpx.Response]:
    """The policy requires factors, so enrolment is open, though not to this account, which has one."""
    ticket = intruder.ticket()
    yield intruder.http.post("/api/login/enrolment/totp/", json={"ticket": ticket})
    for code in (intruder.wrong_code, intruder.bob.app.code()):
        yield intruder.http.post("/api/login/enrolment/totp/confirm/", json={"ticket": ticket, "code": code})


def try_to_enrol_a_passkey(intruder: Intruder) -> Iterator[httpx.Response]:
    ticket = intruder.ticket()
    yield intruder.http.post("/api/login/enrolment/passkey/", json={"ticket": ticket})
    person, phone = intruder.bob.person, SoftwareAuthenticator()
    options = person.http.post("/api/me/passkeys/options/", headers=person.bearer()).json()["options"]
    body = {"ticket": ticket, "passkey": phone.create({**options, "excludeCredentials": []})}
    yield intruder.http.post("/api/login/enrolment/passkey/confirm/", json=body)


def try_the_session_from_before(intruder: Intruder) -> Iterator[httpx.Response]:
    yield intruder.victim.try_refresh()
    yield intruder.victim.try_refresh()


def try_to_step_up(intruder: Intruder) -> Iterator[httpx.Response]:
    for proof in ({"password": intruder.victim.password}, {"code": intruder.wrong_code}):
        yield intruder.post("/api/step-up/", **proof)
    yield intruder.http.post("/api/step-up/", json={"password": intruder.victim.password})


def try_to_change_the_password(intruder: Intruder) -> Iterator[httpx.Response]:
    body = {"current_password": intruder.victim.password, "new_password": "another long password"}
    yield intruder.post("/api/password/change/", **body)
    yield intruder.http.post("/api/password/change/", json=body)


OPERATIONS: dict[str, Callable[[Intruder], Iterator[httpx.Response]]] = {
    "login": try_password,
    "login_second_factor": try_without_the_factor,
    "login_passkey": try_own_passkey,
    "login_enrol_totp": try_to_enrol_an_app,
    "login_enrol_passkey": try_to_enrol_a_passkey,
    "refresh": try_the_session_from_before,
    "step_up": try_to_step_up,
    "change_password": try_to_change_the_password,
}


def answered_fields(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the names of all properties of a schema, at any depth."""
    if "$ref" in schema:
        return answered_fields(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    nested = [*schema.get("properties", {}).values(), *schema.get("allOf", ()), *schema.get("oneOf", ())]
    nested += [schema["items"]] if "items" in schema else []
    return {*schema.get("properties", ()), *(name for one in nested for name in answered_fields(document, one))}


def test_better_auth_9552_table_has_every_operation_that_answers_a_token(http: httpx.Client) -> None:
    document = http.get("/api-doc/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    found = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for content in response.get("content", {}).values()
        if answered_fields(document, content["schema"]) & TOKENS
    }
    assert found == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_better_auth_9552_operation_answers_no_token_without_the_second_factor(intruder: Intruder, name: str) -> None:
    victim = intruder.victim.id
    before = factors_and_sessions(victim)
    answers = list(OPERATIONS[name](intruder))
    assert answers
    for answer in answers:
        assert not answer.is_success, answer.text
        assert not TOKENS & set(answer.json()), answer.text
        assert "eyJ" not in answer.text, answer.text
    assert factors_and_sessions(victim) == before


def factors_and_sessions(user_id: int) -> tuple[Any, ...]:
    sessions = Session.objects.filter(user=user_id).order_by("pk").values_list("pk", "proof", "authenticated_at")
    return User.objects.get(pk=user_id).second_factors, available_factors(user_id), list(sessions)


@pytest.mark.parametrize("by", ["link", "code"])
def test_password_reset_by_mail_gives_no_session_and_leaves_the_factors(intruder: Intruder, by: str) -> None:
    http, victim = intruder.http, intruder.victim
    factors = factors_and_sessions(victim.id)[:2]
    code, token = intruder.mailed()
    proof = {"token": token} if by == "link" else {"email": victim.email, "code": code}
    victim.password = "another long password"
    answer = http.post("/api/password/reset/confirm/", json={**proof, "new_password": victim.password})
    assert answer.status_code == 200
    assert not any(token in answer.text for token in TOKENS)
    assert not http.cookies
    assert factors_and_sessions(victim.id)[:2] == factors
    assert_problem(try_login(http, victim.email, victim.password), 403, "second_factor_required")
    for attempt in OPERATIONS.values():
        assert not any(each.is_success for each in attempt(intruder)), attempt


# The pages


SIGNS_IN = {admit_browser, remember_proof}
"""What opens a browser session, and what raises one: every page that does either ends in one of them."""

PAGES = {
    "/admin/login/": [{"username": "alice@example.com", "password": PASSWORD}],
    "/admin/login/second-factor/": [{"code": "wrong"}, {"recovery_code": "bob's"}, {"code": "bob's"}, {"code": ""}],
    "/admin/login/enrolment/": [{"code": "wrong"}, {"code": "bob's"}],
    "/admin/reauthenticate/": [{"password": PASSWORD}, {"code": "wrong"}, {"recovery_code": "bob's"}],
    "/admin/password_change/": [
        {"old_password": PASSWORD, "new_password1": "another long password", "new_password2": "another long password"}
    ],
}
"""Forms that the intruder submits on each of them."""


def names_in(code: CodeType) -> Iterator[str]:
    """Return the global names that a function uses, and those of the functions within it."""
    yield from (line.argval for line in dis.get_instructions(code) if line.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def uses(thing: Any, seen: set[Any]) -> Iterator[Any]:
    """Yield the functions and classes of ours that a view can reach by the names in it, wrappers included."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    thing = getattr(thing, "__func__", thing)
    if not (inspect.isfunction(thing) or inspect.isclass(thing)) or thing in seen:
        return
    seen.add(thing)
    parts: list[Any] = []
    if inspect.isclass(thing):
        if not thing.__module__.startswith("latchkey."):
            return
        parts = [*vars(thing).values(), *thing.__bases__]
    else:
        closure = zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True)
        cells = [cell.cell_contents for name, cell in closure if name != "__class__"]  # which super() uses
        view = [vars(thing).get(name) for name in ("__wrapped__", "view_class", "cls")]
        ours = thing.__module__.startswith("latchkey.")
        parts = [*cells, *view, *([thing.__globals__.get(name) for name in names_in(thing.__code__)] if ours else ())]
        yield thing
    for part in parts:
        yield from uses(part, seen)


def test_better_auth_9552_table_has_every_page_that_can_sign_a_browser_in() -> None:
    found = {path for path, view in walk_routes() if SIGNS_IN & set(uses(view, set()))}
    assert found == set(PAGES)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("state", ["cookie from before", "password given", "no cookie"])
def test_better_auth_9552_page_signs_no_browser_in_without_the_second_factor(
    intruder: Intruder, path: str, state: str
) -> None:
    browser = intruder.browser if state == "cookie from before" else Browser()
    if state == "password given":
        browser.post("/admin/login/", {"username": intruder.victim.email, "password": intruder.victim.password})
    own = {"code": intruder.bob.app.code(), "recovery_code": intruder.bob.recovery_codes[0]}
    before = factors_and_sessions(intruder.victim.id)
    hashed = User.objects.get(pk=intruder.victim.id).password
    for form in PAGES[path]:
        typed = {
            name: {"wrong": intruder.wrong_code, "bob's": own.get(name)}.get(value, value)
            for name, value in form.items()
        }
        for answer in (browser.get(path), browser.post(path, {**typed, "next": "/admin/"})):
            assert answer.status_code in (200, 302)
        assert not is_let_in(browser), typed
    assert factors_and_sessions(intruder.victim.id) == before
    assert User.objects.get(pk=intruder.victim.id).password == hashed


def is_let_in(browser: Browser) -> bool:
    return bool(browser.get("/admin/").status_code == 200)


def test_no_page_at_all_signs_a_browser_in_without_the_second_factor(intruder: Intruder) -> None:
    """All pages get all names of forms that there are, so that a page that nobody thought of is tried, too."""
    victim = intruder.victim
    names = dict.fromkeys(("username", "email"), victim.email)
    passwords = dict.fromkeys(("password", "old_password", "new_password"), victim.password)
    codes = {"code": intruder.wrong_code, "recovery_code": intruder.bob.recovery_codes[0]}
    everything = names | passwords | codes | {"token": intruder.mailed()[1], "post": "yes", "next": "/admin/"}
    pages = {path for path, _ in walk_routes() if "<" not in path and not path.startswith("/api/")}
    assert len(pages) > 20
    for path in sorted(pages):
        for browser in (Browser(), intruder.browser):
            browser.raise_request_exception = False
            browser.post(path, everything)
            key = browser.cookies["sessionid"].value if "sessionid" in browser.cookies else ""
            admitted = "_auth_user_id" in SessionStore(key) if key else False
            assert not is_let_in(browser), path
            assert not admitted or browser is intruder.browser, path
