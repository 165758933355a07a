"""Every operation that answers a token, tried without the second factor: none does.

The table is compared with the OpenAPI document: a new operation fails here until somebody has tried it without the
factor. The intruder has everything else: password, mailbox, tokens from before the factor was set up, and an account
with factors of its own. test_page_doors.py has the pages.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import httpx
import pytest

from latchkey.accounts.models import User
from tests.passkeys.requests import begin
from tests.people import try_login
from tests.problems import assert_problem
from tests.second_factors import try_second_factor
from tests.sign_in.intruder import Intruder, factors_and_sessions
from tests.support.browser_endpoints import in_a_browser
from tests.support.software_authenticator import SoftwareAuthenticator

TOKENS = {"access_token", "refresh_token"}
NEW = "another long password"


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
    body = {"current_password": intruder.victim.password, "new_password": NEW}
    yield intruder.post("/api/password/change/", **body)
    yield intruder.http.post("/api/password/change/", json=body)


Attempt: TypeAlias = Callable[[Intruder], Iterator[httpx.Response]]
OPERATIONS: dict[str, Attempt] = {
    "login": try_password,
    "login_second_factor": try_without_the_factor,
    "login_passkey": try_own_passkey,
    "login_enrol_totp": try_to_enrol_an_app,
    "login_enrol_passkey": try_to_enrol_a_passkey,
    "refresh": try_the_session_from_before,
    "step_up": try_to_step_up,
    "change_password": try_to_change_the_password,
}


def in_browser(attempt: Attempt) -> Attempt:
    """Return the same attempt at the endpoints of browsers."""

    def attempt_in_browser(intruder: Intruder) -> Iterator[httpx.Response]:
        with in_a_browser(intruder.http):
            yield from attempt(intruder)

    return attempt_in_browser


OPERATIONS |= {
    "browser_login": in_browser(try_password),
    "browser_second_factor": in_browser(try_without_the_factor),
    "browser_passkey": in_browser(try_own_passkey),
    "browser_enrol_totp": in_browser(try_to_enrol_an_app),
    "browser_enrol_passkey": in_browser(try_to_enrol_a_passkey),
    "browser_refresh": in_browser(try_the_session_from_before),
    "browser_change_password": in_browser(try_to_change_the_password),
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
    assert found == set(OPERATIONS) | {"token"}  # the token endpoint answers tokens of applications alone


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


@pytest.mark.parametrize("by", ["link", "code"])
def test_password_reset_by_mail_gives_no_session_and_leaves_the_factors(intruder: Intruder, by: str) -> None:
    http, victim = intruder.http, intruder.victim
    factors = factors_and_sessions(victim.id)[:2]
    code, token = intruder.mailed()
    proof = {"token": token} if by == "link" else {"email": victim.email, "code": code}
    victim.password = NEW
    answer = http.post("/api/password/reset/confirm/", json={**proof, "new_password": victim.password})
    assert answer.status_code == 200
    assert not any(token in answer.text for token in TOKENS)
    assert not http.cookies
    assert factors_and_sessions(victim.id)[:2] == factors
    assert_problem(try_login(http, victim.email, victim.password), 403, "second_factor_required")
    for attempt in OPERATIONS.values():
        assert not any(each.is_success for each in attempt(intruder)), attempt
