"""Faults of passkeys that other systems had, tried at each of the ceremonies, over HTTP.

tests/passkeys has the same checks without HTTP; here no endpoint may have been forgotten. docs/security.md lists all.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.passkeys.models import Passkey
from latchkey.sessions.models import Session
from tests.fixtures.clients import ClientFactory
from tests.passkeys.requests import add, begin, try_options
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.support.software_authenticator import USER_VERIFIED, SoftwareAuthenticator, encode

SetPolicy = Callable[..., None]
Send = Callable[[dict[str, Any]], httpx.Response]
Ceremony = tuple[dict[str, Any], Send]
"""Options for an authenticator, and a function that sends its answer with the ticket that belongs to them."""


def begin_sign_in(alice: Person) -> Ceremony:
    begun = begin(alice.http)
    return begun["options"], sender(alice, "/api/login/passkey/", begun["ticket"])


def begin_second_factor(alice: Person) -> Ceremony:
    ticket = try_login(alice.http, alice.email).json()["ticket"]
    options = alice.http.post("/api/login/second-factor/passkey/", json={"ticket": ticket}).json()["options"]
    return options, sender(alice, "/api/login/second-factor/", ticket)


def begin_step_up(alice: Person) -> Ceremony:
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    return begun["options"], sender(alice, "/api/step-up/", begun["ticket"])


def begin_registration(alice: Person) -> Ceremony:
    begun = try_options(alice).json()
    return begun["options"], sender(alice, "/api/me/passkeys/", begun["ticket"])


def begin_enrolment(alice: Person) -> Ceremony:
    ticket = try_login(alice.http, alice.email).json()["ticket"]
    options = alice.http.post("/api/login/enrolment/passkey/", json={"ticket": ticket}).json()["options"]
    return options, sender(alice, "/api/login/enrolment/passkey/confirm/", ticket)


def sender(alice: Person, path: str, ticket: str) -> Send:
    return lambda answer: alice.http.post(path, json={"ticket": ticket, "passkey": answer}, headers=alice.bearer())


ASSERTIONS = [begin_sign_in, begin_second_factor, begin_step_up]
REGISTRATIONS = [begin_registration, begin_enrolment]
LIES: dict[str, dict[str, Any]] = {
    "challenge of another time": {"challenge": encode(bytes(32))},
    "no challenge": {"challenge": ""},
    "hash of another RP ID": {"rp_id": "evil.example"},
    "another origin": {"origin": "https://evil.example"},
    "an origin that begins alike": {"origin": "http://localhost:8000.evil.example"},
    "user not present": {"flags": USER_VERIFIED},
    "in a frame": {"cross_origin": True},
}


@pytest.fixture
def phone(alice: Person) -> SoftwareAuthenticator:
    """An authenticator with a passkey of alice, whose counter stays 0 as that of a synchronized one."""
    phone = SoftwareAuthenticator()
    add(alice, phone)
    return phone


def stored(alice: Person) -> list[Any]:
    """Return what no refused answer may change: sessions with their proof, and passkeys with their counter."""
    sessions = Session.objects.filter(user=alice.id).order_by("pk").values_list("pk", "proof", "authenticated_at")
    passkeys = Passkey.objects.filter(user=alice.id).order_by("pk").values_list("pk", "sign_count", "last_used_at")
    return [*sessions, *passkeys]


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("begin_ceremony", ASSERTIONS)
def test_bossconsole_35_each_signature_is_for_this_challenge_service_and_page(
    alice: Person, phone: SoftwareAuthenticator, begin_ceremony: Callable[[Person], Ceremony], lie: dict[str, Any]
) -> None:
    before = stored(alice)
    options, send = begin_ceremony(alice)
    assert_problem(send(phone.get(options, **lie)), 400, "invalid_passkey")
    assert stored(alice) == before
    options, send = begin_ceremony(alice)
    assert send(phone.get(options)).status_code == 200


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("begin_ceremony", REGISTRATIONS)
def test_bossconsole_35_each_registration_is_for_this_challenge_service_and_page(
    alice: Person, set_policy: SetPolicy, begin_ceremony: Callable[[Person], Ceremony], lie: dict[str, Any]
) -> None:
    set_policy(second_factor="required")
    before, phone = stored(alice), SoftwareAuthenticator()
    options, send = begin_ceremony(alice)
    assert_problem(send(phone.create(options, **lie)), 400, "invalid_passkey")
    assert stored(alice) == before
    options, send = begin_ceremony(alice)
    assert send(phone.create(options)).is_success


@pytest.mark.parametrize("is_used", [True, False], ids=["used", "unused"])
@pytest.mark.parametrize("begin_ceremony", ASSERTIONS)
def test_bossconsole_35_recorded_answer_is_refused_with_the_ticket_of_another_ceremony(
    alice: Person, phone: SoftwareAuthenticator, begin_ceremony: Callable[[Person], Ceremony], is_used: bool
) -> None:
    options, send = begin_ceremony(alice)
    recorded = phone.get(options)
    if is_used:
        assert send(recorded).status_code == 200
    before = stored(alice)
    _, send = begin_ceremony(alice)
    assert_problem(send(recorded), 400, "invalid_passkey")
    assert stored(alice) == before


@pytest.mark.parametrize("begin_ceremony", ASSERTIONS)
def test_bossconsole_35_counter_is_stored_and_compared(
    alice: Person, begin_ceremony: Callable[[Person], Ceremony]
) -> None:
    key = SoftwareAuthenticator(counter_step=1)
    add(alice, key)
    options, send = begin_ceremony(alice)
    assert send(key.get(options, counter=7)).status_code == 200
    assert Passkey.objects.get(user=alice.id).sign_count == 7
    for counter in (6, 7):
        options, send = begin_ceremony(alice)
        assert_problem(send(key.get(options, counter=counter)), 400, "invalid_passkey")


@pytest.mark.parametrize("begin_ceremony", [*ASSERTIONS, *REGISTRATIONS])
def test_posthog_43625_challenge_is_compared_once_at_each_ceremony(
    alice: Person, set_policy: SetPolicy, begin_ceremony: Callable[[Person], Ceremony]
) -> None:
    set_policy(second_factor="required")
    phone = SoftwareAuthenticator()
    if begin_ceremony in ASSERTIONS:
        add(alice, phone)
    options, send = begin_ceremony(alice)
    answer = phone.get if begin_ceremony in ASSERTIONS else phone.create
    assert_problem(send(answer(options, origin="https://evil.example")), 400, "invalid_passkey")
    before = stored(alice)
    assert send(answer(options)).json()["code"] in {"invalid_passkey", "invalid_ticket"}
    assert stored(alice) == before


def test_answer_to_the_options_of_a_step_up_signs_nobody_in(alice: Person, phone: SoftwareAuthenticator) -> None:
    begun = alice.http.post("/api/step-up/passkey/", headers=alice.bearer()).json()
    body = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    assert_problem(alice.http.post("/api/login/passkey/", json=body), 400, "invalid_ticket")
    assert_problem(alice.http.post("/api/login/second-factor/", json=body), 400, "invalid_ticket")


def test_idenplane_695_passkey_without_user_verification_is_one_factor_only(alice: Person, http: httpx.Client) -> None:
    key = SoftwareAuthenticator(flags=1, counter_step=1)
    add(alice, key)
    options, send = begin_sign_in(alice)
    assert_problem(send(key.get(options)), 400, "invalid_passkey")
    assert_problem(send(key.get(options, flags=1 | USER_VERIFIED)), 400, "invalid_ticket")
    options, send = begin_second_factor(alice)
    assert send(key.get(options)).status_code == 200  # beside the password


def test_allauth_passkey_spam_at_the_second_factor_never_locks_the_owner_out(
    from_address: ClientFactory, alice: Person, phone: SoftwareAuthenticator, set_policy: SetPolicy
) -> None:
    set_policy(failures_per_address=10)
    thief, home = Person(from_address("203.0.113.9"), alice.email), Person(from_address("198.51.100.7"), alice.email)
    codes = []
    for _ in range(12):
        options, send = begin_second_factor(thief)
        codes.append(send(phone.get(options, origin="https://evil.example")).json()["code"])
    assert codes == ["invalid_passkey"] * 10 + ["too_many_attempts"] * 2
    options, send = begin_second_factor(home)
    assert send(phone.get(options)).status_code == 200
