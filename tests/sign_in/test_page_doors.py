"""Every page that can sign a browser in, tried without the second factor: none lets anybody in.

The table is compared with the views of the URLconf: a new page fails here until somebody has tried it without the
factor. The intruder is that of test_doors.py, with a browser that was signed in before the factor was set up.
"""

import dis
import functools
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.admin.session_store import SessionStore
from latchkey.passkeys.models import Passkey
from latchkey.sign_in.browser_session import admit_browser, keep_browser_session, remember_proof
from tests.people import PASSWORD
from tests.security.test_access_rules import walk_routes
from tests.sign_in.intruder import BOBS, BOBS_NEW, VICTIMS, WRONG, Intruder, factors_and_sessions
from tests.support.admin_pages import Browser

NEW = "another long password"

SIGNS_IN = {admit_browser, remember_proof, keep_browser_session}
"""What opens a browser session, keeps it open or raises it: every page that does so ends in one of them."""

CREDENTIALS = {"username": "alice@example.com", "email": "alice@example.com", "password": PASSWORD}
GUESSES = [{"code": WRONG}, {"code": ""}, *({name: BOBS} for name in ("code", "recovery_code", "passkey"))]
PAGES: dict[str, list[dict[str, str]]] = {
    "/admin/login/": [CREDENTIALS],
    "/admin/login/second-factor/": GUESSES,
    "/admin/login/enrolment/": GUESSES,
    "/admin/reauthenticate/": [CREDENTIALS, *GUESSES],
    "/admin/password_change/": [{"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}],
    "/account/sign-in/": [CREDENTIALS],
    "/account/sign-in/passkey/": [{"passkey": BOBS, "ticket": VICTIMS}, {"passkey": BOBS}],
    "/account/sign-in/second-factor/": GUESSES,
    "/account/sign-in/set-up/": GUESSES,
    "/account/sign-in/set-up/passkey/": [{"passkey": BOBS_NEW}, {"passkey": BOBS}],
    "/account/confirm/": [CREDENTIALS, *GUESSES],
    "/account/security/": [{}],
    "/account/security/authenticator/": [{}, {"code": WRONG}],
    "/account/security/authenticator/remove/": [{}],
    "/account/security/recovery-codes/": [{}],
    "/account/security/passkeys/add/": [{"passkey": BOBS_NEW, "ticket": VICTIMS}],
    "/account/security/passkeys/<passkey_id>/": [{"name": "mine"}],
    "/account/security/passkeys/<passkey_id>/remove/": [{}],
    "/account/security/api-keys/add/": [{"name": "mine", "expires_in_days": "90"}],
    "/account/security/api-keys/<key_id>/revoke/": [{}],
}
"""Forms that the intruder submits on each of them."""


def names_in(code: CodeType) -> Iterator[str]:
    """Return the global names that a function uses, and those of the functions within it."""
    yield from (line.argval for line in dis.get_instructions(code) if line.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


@functools.cache
def parts(thing: Any) -> list[Any]:
    """Return what a function or class of ours is made of, and the functions and classes that it uses by name."""
    ours = thing.__module__.startswith("latchkey.")
    if inspect.isclass(thing):
        return [*vars(thing).values(), *thing.__bases__] if ours else []
    closure = zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True)
    cells = [cell.cell_contents for name, cell in closure if name != "__class__"]  # which super() uses
    views = [vars(thing).get(name) for name in ("__wrapped__", "view_class", "cls")]
    return [*cells, *views, *([thing.__globals__.get(name) for name in names_in(thing.__code__)] if ours else ())]


def has_parts(thing: Any) -> bool:
    return inspect.isfunction(thing) or inspect.isclass(thing)


def reachable(view: Any) -> set[Any]:
    """Return the functions and classes that a view can reach by the names in it, wrappers included."""
    found: set[Any] = set()
    waiting = [view]
    while waiting:
        thing = waiting.pop()
        while isinstance(thing, functools.partial):
            thing = thing.func
        thing = getattr(thing, "__func__", thing)
        if has_parts(thing) and thing not in found:
            found.add(thing)
            waiting += parts(thing)
    return found


def test_better_auth_9552_table_has_every_page_that_can_sign_a_browser_in() -> None:
    found = {path for path, view in walk_routes() if SIGNS_IN & reachable(view)}
    assert found == set(PAGES)


@pytest.mark.ledger("REG-DJANGOMFA3-01", "CS-MFA-1")
@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES)
def test_better_auth_9552_page_signs_no_browser_in_without_the_second_factor(intruder: Intruder, path: str) -> None:
    victim, password_given = intruder.victim, Browser()
    password_given.post("/account/sign-in/" if path.startswith("/account/") else "/admin/login/", CREDENTIALS)
    before, hashed = factors_and_sessions(victim.id), User.objects.get(pk=victim.id).password
    passkey = Passkey.objects.filter(user=victim.id).values_list("pk", flat=True).first()
    url = path.replace("<passkey_id>", str(passkey or 1)).replace("<key_id>", "000000")
    for browser in (password_given, intruder.browser, Browser()):
        for form in PAGES[path]:
            typed = {name: intruder.typed(name, value) for name, value in form.items()}
            for answer in (browser.get(url), browser.post(url, {**typed, "next": "/admin/"})):
                unknown = {404} if "<key_id>" in path else set()  # the victim has no API key
                assert answer.status_code in {200, 302, 400, 403, 405, 429} | unknown
            assert not is_let_in(browser), typed
    assert factors_and_sessions(victim.id) == before
    assert User.objects.get(pk=victim.id).password == hashed
    assert not Passkey.objects.filter(user=victim.id, name="mine").exists()


def is_let_in(browser: Browser) -> bool:
    return any(browser.get(page).status_code == 200 for page in ("/admin/", "/account/security/"))


@pytest.mark.slow
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
