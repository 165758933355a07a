"""POST and DELETE /api/me/totp/, its confirm/, and GET /api/me/factors/: a person's own authenticator app."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user
from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.core.exceptions import InvalidToken
from latchkey.factors import totp
from latchkey.factors.changes import FactorChange, change_factors
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.sessions.models import Session
from tests.factors.apps import (
    add_app,
    begin,
    code_at,
    read_uri,
    request_ticket,
    sign_in,
    try_confirm,
    try_second_factor,
    wrong_code,
)
from tests.passkeys.requests import add as add_passkey
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.software_authenticator import SoftwareAuthenticator


@pytest.fixture
def alice(clock: time_machine.Traveller, http: httpx.Client) -> Person:
    """A person who has just signed in; the clock stands still."""
    return Person(http, "alice@example.com").register().login()


def try_begin(person: Person) -> httpx.Response:
    return person.http.post("/api/me/totp/", headers=person.bearer())


def try_remove(person: Person) -> httpx.Response:
    return person.http.delete("/api/me/totp/", headers=person.bearer())


def list_factors(person: Person) -> Any:
    answer = person.http.get("/api/me/factors/", headers=person.bearer())
    assert answer.status_code == 200, answer.text
    return answer.json()


def step_up(person: Person, **proof: str) -> httpx.Response:
    return person.http.post("/api/step-up/", json=proof, headers=person.bearer())


def assert_step_up_required(answer: httpx.Response, *factors: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (403, "step_up_required")
    assert (problem["factors"], problem["max_age"]) == ([*factors], 600)


def event_names(person: Person) -> list[str]:
    return list(AuditEvent.objects.filter(user_id=person.id).order_by("pk").values_list("name", flat=True))


def test_enrolment_answers_secret_uri_and_qr_code(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(site_name="Example & Sons")
    answer = try_begin(alice)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    begun = answer.json()
    assert list(begun) == ["secret", "uri", "expires_in", "qr_code"]
    label, parameters = read_uri(begun["uri"])
    assert label == "Example%20%26%20Sons:alice@example.com"
    assert parameters == {"secret": begun["secret"], "issuer": "Example & Sons"}
    assert begun["expires_in"] == 600
    assert begun["qr_code"] == totp.qr_code_svg(begun["uri"])


def test_confirmed_app_is_asked_for_at_every_sign_in(alice: Person) -> None:
    secret = begin(alice)
    assert list_factors(alice)["totp"] is None
    assert try_login(alice.http).status_code == 200
    answer = try_confirm(alice, code_at(secret, clocks.now()))
    assert answer.status_code == 200
    assert list(answer.json()) == ["recovery_codes"]
    assert len(answer.json()["recovery_codes"]) == 10
    refused = try_login(alice.http)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    assert refused.json()["factors"] == ["recovery_code", "totp"]
    signed_in = try_second_factor(alice.http, refused.json()["ticket"], code=code_at(secret, clocks.now(), 1))
    assert signed_in.status_code == 200
    assert User.objects.get().second_factors == 1


def test_list_of_factors_says_when_the_app_was_confirmed_and_used(clock: time_machine.Traveller, alice: Person) -> None:
    assert list_factors(alice)["totp"] is None
    assert list_factors(alice)["recovery_codes"] == 0
    app = add_app(alice)
    assert list_factors(alice)["totp"] == {"confirmed_at": "2030-01-01T12:00:00Z", "last_used_at": None}
    clock.shift(timedelta(minutes=5))
    alice = sign_in(alice, app)
    assert list_factors(alice)["totp"]["last_used_at"] == "2030-01-01T12:05:00Z"
    assert list_factors(alice)["recovery_codes"] == 10
    text = alice.http.get("/api/me/factors/", headers=alice.bearer()).text
    assert app.secret not in text
    assert not [code for code in app.recovery_codes if code in text]


@pytest.mark.ledger("ASVS-7.4.3")
def test_confirmation_ends_all_other_sessions_and_keeps_its_own(alice: Person) -> None:
    phone = Person(alice.http, alice.email).login()
    add_app(alice)
    assert phone.me().status_code == 401
    assert phone.try_refresh().status_code == 401
    assert alice.me().status_code == alice.refresh().me().status_code == 200


def test_wrong_code_does_not_confirm_and_changes_nothing(alice: Person) -> None:
    phone, secret = Person(alice.http, alice.email).login(), begin(alice)
    before = list(TotpSecret.objects.values())
    for code in (wrong_code(secret, clocks.now()), code_at(secret, clocks.now(), 2), "12345", "1234567", "abcdef"):
        assert_problem(try_confirm(alice, code), 400, "invalid_code", ["code"])
    assert list(TotpSecret.objects.values()) == before
    assert User.objects.get().second_factors == 0
    assert not RecoveryCode.objects.exists()
    assert phone.me().status_code == alice.me().status_code == 200
    assert event_names(alice)[-5:] == ["factor.refused"] * 5
    assert {event.detail for event in AuditEvent.objects.filter(name="factor.refused")} == {"totp"}


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": None}, {"code": 287082}, {"code": ["287082"]}])
def test_confirmation_without_a_text_as_code_is_invalid(alice: Person, body: Any) -> None:
    begin(alice)
    answer = alice.http.post("/api/me/totp/confirm/", json=body, headers=alice.bearer())
    assert_problem(answer, 400, "invalid", ["code"])


def test_confirmation_without_an_enrolment_or_after_ten_minutes_is_refused(
    clock: time_machine.Traveller, alice: Person
) -> None:
    assert_problem(try_confirm(alice, "287082"), 400, "invalid_code", ["code"])
    secret = begin(alice)
    clock.shift(timedelta(minutes=10))
    assert step_up(alice.refresh(), password=PASSWORD).status_code == 200
    assert_problem(try_confirm(alice, code_at(secret, clocks.now())), 400, "invalid_code", ["code"])
    secret = begin(alice)
    assert try_confirm(alice, code_at(secret, clocks.now())).status_code == 200


@pytest.mark.ledger("REG-ALLAUTH-17", "REG-ZITADEL-02", "REG-ZITADEL-03")
def test_sixth_wrong_code_of_an_enrolment_is_rate_limited_and_so_is_the_right_one(
    clock: time_machine.Traveller, alice: Person
) -> None:
    secret = begin(alice)
    for _ in range(5):
        assert_problem(try_confirm(alice, wrong_code(secret, clocks.now())), 400, "invalid_code", ["code"])
    for code in (wrong_code(secret, clocks.now()), code_at(secret, clocks.now())):
        assert_problem(try_confirm(alice, code), 429, "too_many_attempts")
    clock.shift(timedelta(seconds=31))
    assert try_confirm(alice.refresh(), code_at(secret, clocks.now())).status_code == 200


@pytest.mark.ledger("REG-ZITADEL-03")
def test_limit_of_wrong_codes_is_one_for_sign_in_and_enrolment(clock: time_machine.Traveller, alice: Person) -> None:
    """CVE-2025-64102, ezauth#175: an endpoint with a limit of its own would double the guesses."""
    app = add_app(alice)
    for _ in range(5):
        answer = try_second_factor(alice.http, request_ticket(alice), code=wrong_code(app.secret, clocks.now()))
        assert_problem(answer, 400, "invalid_code", ["code"])
    assert try_remove(alice).status_code == 204
    begin(alice)
    assert_problem(try_confirm(alice, "000000"), 429, "too_many_attempts")


@pytest.mark.ledger("NIST-4.1.2")
def test_enrolment_asks_for_the_password_after_ten_minutes(clock: time_machine.Traveller, alice: Person) -> None:
    secret = begin(alice)
    clock.shift(timedelta(minutes=10))
    alice.refresh()
    assert_step_up_required(try_begin(alice), "password")
    assert_step_up_required(try_confirm(alice, code_at(secret, clocks.now())), "password")
    assert step_up(alice, password=PASSWORD).status_code == 200
    assert try_begin(alice).status_code == 200


@pytest.mark.ledger("ASVS-7.5.1")
def test_removal_and_new_codes_ask_for_the_second_factor_after_ten_minutes_keycloak_16442(
    clock: time_machine.Traveller, alice: Person
) -> None:
    app = add_app(alice)
    clock.shift(timedelta(minutes=11))
    alice.refresh()
    paths = ("DELETE", "/api/me/totp/"), ("POST", "/api/me/recovery-codes/"), ("POST", "/api/me/totp/")
    for method, path in paths:
        answer = alice.http.request(method, path, headers=alice.bearer())
        assert_step_up_required(answer, "recovery_code", "totp")
    assert_step_up_required(step_up(alice, password=PASSWORD), "recovery_code", "totp")
    assert step_up(alice, code=app.next_code()).status_code == 200
    assert try_remove(alice).status_code == 204


def test_session_with_a_password_alone_cannot_touch_the_factors_of_the_account_mymate_42(alice: Person) -> None:
    add_app(alice)
    Session.objects.update(proof=1)
    paths = ("DELETE", "/api/me/totp/"), ("POST", "/api/me/recovery-codes/"), ("POST", "/api/me/totp/")
    for method, path in paths:
        answer = alice.http.request(method, path, headers=alice.bearer())
        assert_step_up_required(answer, "recovery_code", "totp")


def test_second_app_is_refused_while_there_is_one(alice: Person) -> None:
    app = add_app(alice)
    assert_problem(try_begin(alice), 400, "totp_exists")
    assert sign_in(alice, app).me().status_code == 200


@pytest.mark.ledger("ASVS-6.5.6", "ASVS-7.4.3")
def test_removal_of_the_last_factor_ends_other_sessions_and_its_recovery_codes(alice: Person) -> None:
    app = add_app(alice)
    phone = sign_in(Person(alice.http, alice.email, id=alice.id), app)
    assert try_remove(alice).status_code == 204
    assert phone.me().status_code == 401
    assert alice.me().status_code == 200
    assert list_factors(alice)["totp"] is None
    assert not TotpSecret.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert User.objects.get().second_factors == 0
    assert try_login(alice.http).status_code == 200


def test_removal_without_an_app_is_not_found_and_changes_nothing(alice: Person) -> None:
    phone = Person(alice.http, alice.email).login()
    assert_problem(try_remove(alice), 404, "not_found")
    begin(alice)
    assert_problem(try_remove(alice), 404, "not_found")
    assert User.objects.get().second_factors == 0
    assert phone.me().status_code == 200
    assert "factor.removed" not in event_names(alice)


def test_removed_app_opens_no_session_with_a_ticket_that_was_issued_before(alice: Person) -> None:
    app = add_app(alice)
    ticket = request_ticket(alice)
    assert try_remove(alice).status_code == 204
    assert_problem(try_second_factor(alice.http, ticket, code=app.next_code()), 400, "invalid_ticket", ["ticket"])


def test_app_that_is_set_up_again_gives_new_recovery_codes(clock: time_machine.Traveller, alice: Person) -> None:
    first = add_app(alice)
    assert try_remove(alice).status_code == 204
    second = add_app(alice)
    assert first.secret != second.secret
    assert len(second.recovery_codes) == 10
    ticket = request_ticket(alice)
    assert try_second_factor(alice.http, ticket, recovery_code=first.recovery_codes[0]).status_code == 400
    clock.shift(timedelta(minutes=1))
    assert try_second_factor(alice.http, ticket, code=first.next_code()).status_code == 400
    assert sign_in(alice, second).me().status_code == 200


def test_confirmation_gives_no_recovery_codes_to_an_account_that_has_some(alice: Person) -> None:
    assert len(add_passkey(alice, SoftwareAuthenticator())["recovery_codes"]) == 10
    kept = set(RecoveryCode.objects.values_list("pk", flat=True))
    secret = begin(alice)
    answer = try_confirm(alice, code_at(secret, clocks.now()))
    assert (answer.status_code, answer.json()) == (200, {"recovery_codes": []})
    assert set(RecoveryCode.objects.values_list("pk", flat=True)) == kept


def test_removal_beside_a_passkey_keeps_the_recovery_codes_and_the_second_factor(alice: Person) -> None:
    add_app(alice)
    passkey = add_passkey(alice, SoftwareAuthenticator(), "Laptop")["passkey"]
    assert [each["name"] for each in list_factors(alice)["passkeys"]] == ["Laptop"]
    assert list_factors(alice)["passkeys"] == [passkey]
    assert try_remove(alice).status_code == 204
    assert list_factors(alice) == {"totp": None, "passkeys": [passkey], "recovery_codes": 10}
    assert try_login(alice.http).json()["factors"] == ["passkey", "recovery_code"]


def test_enrolment_is_closed_while_second_factors_are_off_and_those_in_use_stay_in_force(
    alice: Person, bob: Person, set_policy: Callable[..., None]
) -> None:
    app, pending = add_app(alice), begin(bob)
    set_policy(second_factor="off")
    assert_problem(try_begin(bob), 403, "enrolment_closed")
    assert_problem(try_confirm(bob, code_at(pending, clocks.now())), 403, "enrolment_closed")
    alice = sign_in(alice, app)
    assert alice.http.post("/api/me/recovery-codes/", headers=alice.bearer()).status_code == 200
    assert try_remove(alice).status_code == 204
    assert_problem(try_begin(alice), 403, "enrolment_closed")


@pytest.mark.ledger("REG-ALLAUTH-20")
@pytest.mark.parametrize("mode", ["optional", "required"])
def test_enrolment_needs_a_verified_address_where_addresses_are_verified(
    alice: Person, set_policy: Callable[..., None], mode: str
) -> None:
    pending = begin(alice)
    set_policy(email_verification=mode)
    assert_problem(try_begin(alice), 403, "email_not_verified")
    assert_problem(try_confirm(alice, code_at(pending, clocks.now())), 403, "email_not_verified")
    User.objects.update(email_verified_at=clocks.now())
    assert try_begin(alice).status_code == 200


def test_enrolment_of_staff_and_without_a_mail_server_needs_no_verified_address(
    alice: Person, set_policy: Callable[..., None], settings: Any
) -> None:
    set_policy(email_verification="optional")
    User.objects.update(is_staff=True)
    assert try_begin(alice).status_code == 200
    User.objects.update(is_staff=False)
    assert_problem(try_begin(alice), 403, "email_not_verified")
    settings.MAIL_SERVER = None
    assert try_begin(alice).status_code == 200


def test_changes_are_events_of_the_account_with_the_kind_of_factor(alice: Person) -> None:
    add_app(alice)
    assert try_remove(alice).status_code == 204
    events = AuditEvent.objects.filter(name__in=("factor.added", "factor.removed"))
    assert {(each.detail, each.user_id, each.ip) for each in events} == {("totp", alice.id, "127.0.0.1")}
    history = alice.http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
    assert [(each["event"], each["reason"]) for each in history[:2]] == [
        ("factor.removed", "totp"),
        ("factor.added", "totp"),
    ]


def test_change_is_refused_where_the_account_changed_while_it_was_made(alice: Person) -> None:
    """The credential version that was read decides, so of two changes at once one succeeds."""
    user = get_user(alice.id)
    User.objects.update(credential_version=7)
    with pytest.raises(InvalidToken):
        change_factors(user, FactorChange(Event.FACTOR_ADDED, 1, "totp"), None)
    assert User.objects.get().second_factors == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me/factors/"),
        ("POST", "/api/me/totp/"),
        ("DELETE", "/api/me/totp/"),
        ("POST", "/api/me/totp/confirm/"),
        ("POST", "/api/me/recovery-codes/"),
    ],
)
def test_endpoints_of_factors_need_an_access_token_and_no_query(
    http: httpx.Client, alice: Person, method: str, path: str
) -> None:
    assert_problem(http.request(method, path), 401, "not_authenticated")
    if "confirm" not in path:
        answer = http.request(method, f"{path}?user=1", headers=alice.bearer())
        assert_problem(answer, 400, "invalid", ["query"])
