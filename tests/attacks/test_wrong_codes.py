"""A wrong code costs whom it was typed for, where it was typed, and nobody else."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.email_codes.generate import code_digests, token_digests
from latchkey.email_codes.issue import MAX_VALID, issue
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.passwords.reset import send_reset
from tests.attacks.test_links_and_codes import DOORS, ask, reset, sent_to
from tests.limits.conftest import from_address
from tests.mailbox import letter, letters
from tests.people import Person
from tests.problems import assert_problem

__all__ = ["from_address"]
FIVE = [f"000{number}" for number in range(5)]


@pytest.mark.ledger("ASVS-6.6.3")
def test_wrong_codes_for_one_person_leave_those_of_another_alone(alice: Person, bob: Person, from_address: Any) -> None:
    his = sent_to(bob)["password_reset"]
    ask(alice.http, alice.email)
    for code in FIVE:
        assert_problem(reset(from_address("192.0.2.66"), email=alice.email, code=code), 400, "invalid_code")
    assert set(OneTimeCode.objects.filter(user=bob.id).values_list("failures", flat=True)) == {0}
    assert reset(bob.http, **his.typed).status_code == 200


def test_wrong_codes_at_one_door_leave_those_of_another_door_alone(alice: Person, from_address: Any) -> None:
    hers = sent_to(alice)
    for code in FIVE:
        wrong = {"email": alice.email, "code": code}
        answer = from_address("192.0.2.66").post(DOORS["email_verification"], json=wrong)
        assert_problem(answer, 400, "invalid_code")
    typed = hers["email_verification"].typed
    assert_problem(alice.http.post(DOORS["email_verification"], json=typed), 400, "invalid_code")
    assert reset(alice.http, **hers["password_reset"].typed).status_code == 200


def test_four_wrong_codes_and_the_right_one_is_still_good(alice: Person) -> None:
    ask(alice.http, alice.email)
    for code in FIVE[:4]:
        assert_problem(reset(alice.http, email=alice.email, code=code), 400, "invalid_code")
    assert reset(alice.http, **letters(alice.email)[0].typed).status_code == 200


def test_mails_of_one_kind_void_none_of_another(alice: Person) -> None:
    ask(alice.http, alice.email)
    (sent,) = letters()
    user = User.objects.get(pk=alice.id)
    for _ in range(MAX_VALID):
        issue(user, Purpose.EMAIL_VERIFICATION)
    assert reset(alice.http, token=sent.token).status_code == 200


def test_a_wrong_code_is_kept_among_the_events(alice: Person) -> None:
    reset(alice.http, email=alice.email, code="0000-0000")
    assert AuditEvent.objects.get(name="code.refused").detail == "password_reset"


def test_right_codes_are_no_failures_however_many(alice: Person, turn: Callable[..., None]) -> None:
    turn(failures_per_account=2, failures_per_address=2)
    for _ in range(4):
        send_reset(alice.id, ClientInfo())
        assert reset(alice.http, **letter(alice.email).typed).status_code == 200


def test_what_is_stored_of_one_secret_differs_by_purpose_and_by_address() -> None:
    stored = [token_digests(purpose, "x")[0] for purpose in Purpose]
    stored += [code_digests(purpose, email, "x")[0] for purpose in Purpose for email in ("a@b.example", "c@b.example")]
    assert len(set(stored)) == len(stored) == 3 * len(Purpose)
