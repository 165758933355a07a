"""POST /api/email/change/: rate limits of requests, per user and per new address."""

from collections.abc import Callable

from tests.email_addresses.test_change import NEW, request_change
from tests.outbox import sent_mails
from tests.people import Person
from tests.problems import assert_problem


def test_email_change_request_with_the_right_password_counts_as_no_failure(
    alice: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(failures_per_account=1)
    assert [request_change(alice, f"{number}@new.example").status_code for number in range(3)] == [202] * 3


def test_email_change_requests_to_one_address_are_rate_limited_across_users(alice: Person, bob: Person) -> None:
    assert [request_change(alice).status_code for _ in range(3)] == [202] * 3
    for person in (alice, bob):
        assert_problem(request_change(person), 429, "too_many_attempts")
    assert len(sent_mails(NEW)) == 3
