"""POST /api/email/change/: how often somebody may ask, and what does not count."""

from collections.abc import Callable

from tests.api.test_email_change import NEW, ask
from tests.mailbox import letters
from tests.people import Person
from tests.problems import assert_problem


def test_the_right_password_is_no_failure(alice: Person, turn: Callable[..., None]) -> None:
    turn(failures_per_account=1)
    assert [ask(alice, f"{number}@new.example").status_code for number in range(3)] == [202] * 3


def test_a_new_address_is_not_flooded_whoever_wants_it(alice: Person, bob: Person) -> None:
    assert [ask(alice).status_code for _ in range(3)] == [202] * 3
    for person in (alice, bob):
        assert_problem(ask(person), 429, "too_many_attempts")
    assert len(letters(NEW)) == 3
