"""latchkey end_sessions: ends the sessions of all users or of one, who then have to sign in again."""

import sys
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from tests.people import Person
from tests.problems import assert_problem
from tests.support.admin_pages import USERS, Browser


def end_sessions(*arguments: str) -> str:
    output = StringIO()
    call_command("end_sessions", *arguments, stdout=output)
    return output.getvalue()


def assert_signed_out(person: Person) -> None:
    assert_problem(person.me(), 401, "invalid_token")
    assert_problem(person.try_refresh(), 401, "invalid_refresh_token")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type an answer at the prompt."""
    return lambda text: monkeypatch.setattr(sys, "stdin", StringIO(text))


@pytest.mark.ledger("H-INF-17")
def test_end_sessions_signs_all_users_out_and_lets_them_sign_in_again(alice: Person, bob: Person) -> None:
    laptop = Person(alice.http, alice.email).login()
    assert end_sessions("--yes") == "Ended all sessions of 2 users.\n"
    for device in (alice, laptop, bob):
        assert_signed_out(device)
        assert device.login().me().status_code == 200
        assert device.refresh().me().status_code == 200


@pytest.mark.ledger("H-INF-17")
def test_end_sessions_takes_one_update_and_one_insert_for_any_number_of_users(
    alice: Person, bob: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    sent = statements(lambda: end_sessions("--yes"))
    assert [sql.split()[0] for sql in sent] == ["UPDATE", "INSERT"]


def test_end_sessions_ends_admin_sessions_too(admin: Browser) -> None:
    assert admin.get(USERS).status_code == 200
    end_sessions("--yes")
    assert admin.get(USERS).status_code == 302


@pytest.mark.parametrize("email", ["alice@example.com", "Alice@EXAMPLE.com"])
def test_end_sessions_of_one_user_leaves_other_users_signed_in(alice: Person, bob: Person, email: str) -> None:
    assert end_sessions("--yes", "--user", email) == "Ended all sessions of 1 user.\n"
    assert_signed_out(alice)
    assert bob.refresh().me().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.parametrize("answer", ["yes\n", "YES\n", " yes \n"])
def test_end_sessions_runs_once_yes_is_typed_at_the_prompt(
    alice: Person, typed: Callable[[str], None], answer: str
) -> None:
    typed(answer)
    end_sessions()
    assert_signed_out(alice)


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_end_sessions_ends_nothing_unless_yes_is_typed_at_the_prompt(
    alice: Person, typed: Callable[[str], None], answer: str
) -> None:
    typed(answer)
    with pytest.raises(ImproperlyConfigured, match=r"^No session was ended; answer 'yes', or give --yes\.$"):
        end_sessions()
    assert alice.refresh().me().status_code == 200


@pytest.mark.parametrize("unknown", ["nobody@example.com", "not an address", ""])
def test_end_sessions_of_an_unknown_user_ends_nothing(alice: Person, unknown: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^There is no user with the e-mail address '{unknown}'"):
        end_sessions("--yes", "--user", unknown)
    assert alice.refresh().me().status_code == 200
