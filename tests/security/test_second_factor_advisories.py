"""Faults of second factors that other systems had: each is a test here, with its number in the name.

Advisories that are tested beside the feature itself have the number in their names, too: docs/security.md lists all.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.core import clock as clocks
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from latchkey.tokens.authentication_methods import FIRST, acr, is_two_factor
from tests.factors.apps import wrong_code
from tests.outbox import last_code_mail
from tests.passkeys.requests import add
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.second_factors import Authenticator, EnrolledPerson, enrol, try_second_factor
from tests.support.browser_endpoints import in_a_browser
from tests.support.software_authenticator import SoftwareAuthenticator

NEW_PASSWORD = "another long password"
SetPolicy = Callable[..., None]


@pytest.fixture
def enrolled(clock: time_machine.Traveller, alice: Person) -> EnrolledPerson:
    """Alice, who has an authenticator app; the code of the present time step is unused."""
    return enrol(alice)


def reset_by_mail(http: httpx.Client, person: Person, by: str = "link") -> httpx.Response:
    """Set NEW_PASSWORD with nothing but the mailbox."""
    assert http.post("/api/password/reset/", json={"email": person.email}).status_code == 202
    mail = last_code_mail(person.email)
    proof = {"token": mail.token} if by == "link" else mail.code_fields
    return http.post("/api/password/reset/confirm/", json={**proof, "new_password": NEW_PASSWORD})


def begin(person: Person) -> Authenticator:
    """Return a new authenticator app that is not confirmed."""
    begun = person.http.post("/api/me/totp/", headers=person.bearer())
    assert begun.status_code == 200, begun.text
    return Authenticator(begun.json()["secret"])


# Limits: each place that takes a code


def guess_at_sign_in(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    enrolled = enrol(alice)
    wrong = wrong_code(enrolled.app.secret, clocks.now())
    return lambda: enrolled.try_second_factor(enrolled.ticket(), code=wrong)


def guess_at_step_up(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    wrong = wrong_code(enrol(alice).app.secret, clocks.now())
    return lambda: alice.http.post("/api/step-up/", json={"code": wrong}, headers=alice.bearer())


def guess_at_confirmation(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    wrong = wrong_code(begin(alice).secret, clocks.now())
    return lambda: alice.http.post("/api/me/totp/confirm/", json={"code": wrong}, headers=alice.bearer())


def guess_at_enrolment(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    set_policy(second_factor="required")

    def guess() -> httpx.Response:
        ticket = try_login(alice.http).json()["ticket"]
        secret = alice.http.post("/api/login/enrolment/totp/", json={"ticket": ticket}).json()["secret"]
        body = {"ticket": ticket, "code": wrong_code(secret, clocks.now())}
        return alice.http.post("/api/login/enrolment/totp/confirm/", json=body)

    return guess


def guess_a_recovery_code_at_sign_in(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    enrolled = enrol(alice)
    return lambda: enrolled.try_second_factor(enrolled.ticket(), recovery_code="00000-00000")


def guess_a_recovery_code_at_step_up(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
    enrol(alice)
    body = {"recovery_code": "00000-00000"}
    return lambda: alice.http.post("/api/step-up/", json=body, headers=alice.bearer())


Guesses = Callable[[Person, SetPolicy], Callable[[], httpx.Response]]


def in_browser(guesses: Guesses) -> Guesses:
    """Return the same guesses at the endpoints of browsers."""

    def guesses_in_browser(alice: Person, set_policy: SetPolicy) -> Callable[[], httpx.Response]:
        guess = guesses(alice, set_policy)

        def guess_in_browser() -> httpx.Response:
            with in_a_browser(alice.http):
                return guess()

        return guess_in_browser

    return guesses_in_browser


GUESSES = {
    ("login_second_factor", "code"): guess_at_sign_in,
    ("login_second_factor", "recovery_code"): guess_a_recovery_code_at_sign_in,
    ("step_up", "code"): guess_at_step_up,
    ("step_up", "recovery_code"): guess_a_recovery_code_at_step_up,
    ("confirm_totp", "code"): guess_at_confirmation,
    ("login_enrol_totp", "code"): guess_at_enrolment,
    ("browser_second_factor", "code"): in_browser(guess_at_sign_in),
    ("browser_second_factor", "recovery_code"): in_browser(guess_a_recovery_code_at_sign_in),
    ("browser_enrol_totp", "code"): in_browser(guess_at_enrolment),
}
MAILED = {"confirm_password_reset", "verify_email", "confirm_email_change", "confirm_factor_recovery"}
"""Operations that take a code out of a mail, whose limits are tested in tests/email_codes and tests/factor_recovery."""


def fields_of(document: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the names of the properties of a schema of an OpenAPI document."""
    if "$ref" in schema:
        return fields_of(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return set(schema.get("properties", ()))


@pytest.mark.parametrize("place", GUESSES, ids=" ".join)
def test_cve_2025_64102_guesses_are_limited_at_each_place_that_takes_a_code(
    clock: time_machine.Traveller, alice: Person, set_policy: SetPolicy, place: tuple[str, str]
) -> None:
    guess = GUESSES[place](alice, set_policy)
    for _ in range(5):
        assert_problem(guess(), 400, "invalid_code", [place[1]])
    assert_problem(guess(), 429, "too_many_attempts")
    clock.shift(timedelta(seconds=29))
    assert_problem(guess(), 429, "too_many_attempts")  # a new time step does not lift it


def test_cve_2025_64102_list_of_places_is_that_of_the_openapi_document(http: httpx.Client) -> None:
    document = http.get("/api-doc/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()
    found = {
        (operation["operationId"], field)
        for item in document["paths"].values()
        for operation in item.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for field in fields_of(document, content["schema"]) & {"code", "recovery_code"}
    }
    assert {place for place in found if place[0] not in MAILED} == set(GUESSES)


@pytest.mark.ledger("ASVS-6.3.1")
def test_cve_2024_32868_guesses_at_one_place_count_at_all_others(enrolled: EnrolledPerson) -> None:
    for _ in range(5):
        assert_problem(enrolled.try_second_factor(enrolled.ticket(), code="000000"), 400, "invalid_code")
    person, right = enrolled.person, {"code": enrolled.app.code()}
    elsewhere = person.http.post("/api/step-up/", json=right, headers=person.bearer())
    assert_problem(elsewhere, 429, "too_many_attempts")  # not even compared
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), **right), 429, "too_many_attempts")


# One factor is not two


@pytest.mark.ledger("REG-ZITADEL-04")
@pytest.mark.parametrize("policy", ["off", "optional", "required_for_staff", "required"])
def test_cve_2025_64103_password_alone_opens_nothing_whatever_the_policy_requires(
    enrolled: EnrolledPerson, set_policy: SetPolicy, policy: str
) -> None:
    set_policy(second_factor=policy)
    answer = enrolled.try_password()
    assert_problem(answer, 403, "second_factor_required")
    assert "access_token" not in answer.text
    http, ticket = enrolled.http, answer.json()["ticket"]
    assert_problem(enrolled.person.me(ticket), 401, "invalid_token")
    assert_problem(http.post("/api/refresh/", json={"refresh_token": ticket}), 400, "invalid", ["refresh_token"])
    assert Session.objects.filter(user=enrolled.person.id).count() == 1  # that of the enrolment


def test_cve_2025_64103_session_from_before_the_factor_is_not_let_in(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person
) -> None:
    before = Person(http, alice.email).login()
    enrol(alice)
    assert_problem(before.me(), 401, "invalid_token")
    assert_problem(before.try_refresh(), 401, "invalid_refresh_token")
    assert alice.me().status_code == 200


def test_kratos_4317_two_proofs_of_one_mailbox_are_not_two_factors() -> None:
    for one, other in combinations(FIRST, 2):
        assert not is_two_factor(one | other)
        assert acr(one | other) == "aal1"


@pytest.mark.parametrize("field", ["code", "recovery_code"])
def test_kratos_4317_code_out_of_the_mail_is_no_second_factor(enrolled: EnrolledPerson, field: str) -> None:
    http, person = enrolled.http, enrolled.person
    assert reset_by_mail(http, person).status_code == 200
    person.password = NEW_PASSWORD
    http.post("/api/password/reset/", json={"email": person.email})
    mail = last_code_mail(person.email)
    for text in (mail.code, mail.token):
        assert_problem(enrolled.try_second_factor(enrolled.ticket(), **{field: text}), 400, "invalid_code", [field])


def test_kratos_4285_account_that_began_without_a_password_is_asked_for_its_factor(
    clock: time_machine.Traveller, http: httpx.Client
) -> None:
    User.objects.create_user("carol@example.com")  # as an import without password hashes does
    carol = Person(http, "carol@example.com", NEW_PASSWORD)
    assert reset_by_mail(http, carol).status_code == 200
    enrolled = enrol(carol.login())
    assert_problem(enrolled.try_password(), 403, "second_factor_required")
    assert enrolled.try_second_factor(enrolled.ticket(), code=enrolled.app.code()).status_code == 200


def test_cve_2024_45042_number_of_factors_follows_each_change_and_decides_at_sign_in(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person
) -> None:
    phone, key = SoftwareAuthenticator(), SoftwareAuthenticator()

    def remove_passkey() -> None:
        newest = Passkey.objects.filter(user=alice.id).latest("pk")
        assert http.delete(f"/api/me/passkeys/{newest.pk}/", headers=alice.bearer()).status_code == 204

    def remove_app() -> None:
        assert http.delete("/api/me/totp/", headers=alice.bearer()).status_code == 204

    changes: list[Callable[[], object]] = [
        lambda: begin(alice),  # which is no factor yet
        lambda: add(alice, phone),
        lambda: enrol(alice),
        lambda: add(alice, key),
        remove_passkey,
        remove_app,
        remove_passkey,
        lambda: enrol(alice),
        remove_app,
    ]
    counts = []
    for change in changes:
        change()
        apps = TotpSecret.objects.filter(user=alice.id, confirmed_at__isnull=False).count()
        held = apps + Passkey.objects.filter(user=alice.id).count()
        counts.append(held)
        assert User.objects.get(pk=alice.id).second_factors == held
        assert try_login(http).status_code == (403 if held else 200)
        assert RecoveryCode.objects.filter(user=alice.id).exists() == bool(held)
    assert counts == [0, 1, 2, 3, 2, 1, 0, 1, 0]


# Reset by mail


@pytest.mark.parametrize("by", ["link", "code"])
@pytest.mark.ledger("ASVS-6.4.3")
def test_keycloak_12759_password_reset_by_mail_signs_nobody_in_and_leaves_the_factor(
    enrolled: EnrolledPerson, by: str
) -> None:
    http, person = enrolled.http, enrolled.person
    secret = bytes(TotpSecret.objects.get(user=person.id).secret)
    answer = reset_by_mail(http, person, by)
    assert answer.status_code == 200
    assert "token" not in answer.text
    assert not http.cookies
    assert not Session.objects.filter(user=person.id, credential_version=version(person)).exists()
    person.password = NEW_PASSWORD
    refused = enrolled.try_password()
    assert_problem(refused, 403, "second_factor_required")
    assert refused.json()["factors"] == ["recovery_code", "totp"]
    assert bytes(TotpSecret.objects.get(user=person.id).secret) == secret
    assert RecoveryCode.objects.filter(user=person.id).count() == len(enrolled.recovery_codes)
    assert enrolled.try_second_factor(refused.json()["ticket"], code=enrolled.app.code()).status_code == 200


def version(person: Person) -> int:
    return int(User.objects.get(pk=person.id).credential_version)


def test_keycloak_38593_pages_and_enrolments_that_are_only_begun_change_no_factor(
    enrolled: EnrolledPerson, set_policy: SetPolicy
) -> None:
    set_policy(second_factor="required")
    http, person = enrolled.http, enrolled.person
    http.post("/api/password/reset/", json={"email": person.email})
    assert http.get("/reset-password/", params={"token": last_code_mail(person.email).token}).status_code == 200
    assert_problem(http.post("/api/me/totp/", headers=person.bearer()), 400, "totp_exists")
    assert http.post("/api/me/passkeys/options/", headers=person.bearer()).status_code == 200
    for path in ("/api/login/enrolment/totp/", "/api/login/enrolment/passkey/"):
        assert_problem(http.post(path, json={"ticket": enrolled.ticket()}), 400, "invalid_ticket")
    answer = enrolled.try_second_factor(enrolled.ticket(), code=enrolled.app.code())
    assert answer.status_code == 200
    assert RecoveryCode.objects.filter(user=person.id).count() == len(enrolled.recovery_codes)


# Codes and tickets serve once


def test_zitadel_6452_code_serves_once_at_all_places_together(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person
) -> None:
    app = begin(alice)
    first = app.code()
    assert http.post("/api/me/totp/confirm/", json={"code": first}, headers=alice.bearer()).status_code == 200
    enrolled = EnrolledPerson(alice, app)
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), code=first), 400, "invalid_code")
    clock.shift(30)
    alice.refresh()
    second = app.code()
    assert http.post("/api/step-up/", json={"code": second}, headers=alice.bearer()).status_code == 200
    assert_problem(enrolled.try_second_factor(enrolled.ticket(), code=second), 400, "invalid_code")
    assert_problem(http.post("/api/step-up/", json={"code": second}, headers=alice.bearer()), 400, "invalid_code")


def test_artifact_keeper_1822_ticket_is_worth_nothing_after_its_session(enrolled: EnrolledPerson) -> None:
    ticket = enrolled.ticket()
    assert enrolled.try_second_factor(ticket, recovery_code=enrolled.recovery_codes[0]).status_code == 200
    for answer in ({"recovery_code": enrolled.recovery_codes[1]}, {"code": enrolled.app.code()}):
        assert_problem(enrolled.try_second_factor(ticket, **answer), 400, "invalid_ticket")
    assert RecoveryCode.objects.filter(user=enrolled.person.id).count() == len(enrolled.recovery_codes) - 1


FULL_WIDTH = {ord(digit): chr(0xFF10 + int(digit)) for digit in "0123456789"}
DEVANAGARI = {ord(digit): chr(0x0966 + int(digit)) for digit in "0123456789"}
MATHEMATICAL = {ord(digit): chr(0x1D7CE + int(digit)) for digit in "0123456789"}
RESPELLINGS: dict[str, Callable[[str], str]] = {
    "full-width": lambda code: code.translate(FULL_WIDTH),
    "devanagari": lambda code: code.translate(DEVANAGARI),
    "mathematical": lambda code: code.translate(MATHEMATICAL),
    "one digit full-width": lambda code: code[:5] + code[5:].translate(FULL_WIDTH),
    "space": lambda code: f"{code[:3]} {code[3:]}",
    "outer space": lambda code: f" {code}\t",
    "no-break space": lambda code: f"{code}\u00a0",
    "zero-width space": lambda code: f"{code}\u200b",
    "hyphen": lambda code: f"{code[:3]}-{code[3:]}",
    "leading zero": lambda code: f"0{code}",
    "sign": lambda code: f"+{code}",
    "underscore": lambda code: f"{code[:3]}_{code[3:]}",
}


@pytest.mark.parametrize("respell", RESPELLINGS.values(), ids=RESPELLINGS)
def test_allauth_respelling_used_code_is_not_accepted_in_another_spelling(
    enrolled: EnrolledPerson, respell: Callable[[str], str]
) -> None:
    code, person = enrolled.app.code(), enrolled.person
    assert enrolled.try_second_factor(enrolled.ticket(), code=code).status_code == 200
    respelled = {"code": respell(code)}
    for answer in (
        try_second_factor(person.http, enrolled.ticket(), **respelled),
        person.http.post("/api/step-up/", json=respelled, headers=person.bearer()),
    ):
        assert answer.status_code == 400, answer.text
        assert answer.json()["code"] in {"invalid_code", "invalid"}


def test_allauth_respelling_used_recovery_code_is_not_accepted_in_another_spelling(enrolled: EnrolledPerson) -> None:
    code = enrolled.recovery_codes[0]
    assert enrolled.try_second_factor(enrolled.ticket(), recovery_code=code).status_code == 200
    plain = code.replace("-", "")
    for respelled in (code, code.lower(), plain, f" {code} ", plain.replace("0", "O"), plain.replace("1", "l")):
        answer = enrolled.try_second_factor(enrolled.ticket(), recovery_code=respelled)
        assert answer.json()["code"] in {"invalid_code", "too_many_attempts"}, respelled
    assert RecoveryCode.objects.filter(user=enrolled.person.id).count() == len(enrolled.recovery_codes) - 1
