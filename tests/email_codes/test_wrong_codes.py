"""Wrong codes invalidate only codes of the same user and the same purpose."""

from collections.abc import Callable
from typing import Any

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.email_codes.one_time_codes import MAX_VALID, code_digests, issue, token_digests
from latchkey.passwords.reset import send_reset
from tests.email_codes.test_links_and_codes import ENDPOINTS, confirm_reset, mails_of_each_kind, request_reset
from tests.outbox import last_mail, sent_mails
from tests.people import Person
from tests.problems import assert_problem

WRONG_CODES = [f"000{number}" for number in range(5)]


@pytest.mark.ledger("ASVS-6.6.3")
def test_wrong_codes_for_one_user_do_not_invalidate_codes_of_another_user(
    alice: Person, bob: Person, from_address: Any
) -> None:
    his = mails_of_each_kind(bob)["password_reset"]
    request_reset(alice.http, alice.email)
    for code in WRONG_CODES:
        assert_problem(confirm_reset(from_address("192.0.2.66"), email=alice.email, code=code), 400, "invalid_code")
    assert set(OneTimeCode.objects.filter(user=bob.id).values_list("failures", flat=True)) == {0}
    assert confirm_reset(bob.http, **his.code_fields).status_code == 200


def test_wrong_codes_at_one_endpoint_do_not_invalidate_codes_of_another_purpose(
    alice: Person, from_address: Any
) -> None:
    hers = mails_of_each_kind(alice)
    for code in WRONG_CODES:
        wrong = {"email": alice.email, "code": code}
        answer = from_address("192.0.2.66").post(ENDPOINTS["email_verification"], json=wrong)
        assert_problem(answer, 400, "invalid_code")
    fields = hers["email_verification"].code_fields
    assert_problem(alice.http.post(ENDPOINTS["email_verification"], json=fields), 400, "invalid_code")
    assert confirm_reset(alice.http, **hers["password_reset"].code_fields).status_code == 200


def test_four_wrong_codes_do_not_invalidate_the_code(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    for code in WRONG_CODES[:4]:
        assert_problem(confirm_reset(alice.http, email=alice.email, code=code), 400, "invalid_code")
    assert confirm_reset(alice.http, **sent_mails(alice.email)[0].code_fields).status_code == 200


def test_new_codes_of_one_purpose_do_not_invalidate_tokens_of_another(alice: Person) -> None:
    request_reset(alice.http, alice.email)
    (sent,) = sent_mails()
    user = User.objects.get(pk=alice.id)
    for _ in range(MAX_VALID):
        issue(user, Purpose.EMAIL_VERIFICATION)
    assert confirm_reset(alice.http, token=sent.token).status_code == 200


def test_wrong_code_records_a_code_refused_event(alice: Person) -> None:
    confirm_reset(alice.http, email=alice.email, code="0000-0000")
    assert AuditEvent.objects.get(name="code.refused").detail == "password_reset"


def test_correct_codes_are_not_counted_as_failures(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(failures_per_account=2, failures_per_address=2)
    for _ in range(4):
        send_reset(alice.id)
        assert confirm_reset(alice.http, **last_mail(alice.email).code_fields).status_code == 200


def test_digest_of_a_secret_differs_by_purpose_and_email_address() -> None:
    stored = [token_digests(purpose, "x")[0] for purpose in Purpose]
    stored += [code_digests(purpose, email, "x")[0] for purpose in Purpose for email in ("a@b.example", "c@b.example")]
    assert len(set(stored)) == len(stored) == 3 * len(Purpose)
