"""latchkey end_sessions: one command after which everybody, or one user, has to sign in again."""

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
    said = StringIO()
    call_command("end_sessions", *arguments, stdout=said)
    return said.getvalue()


def assert_signed_out(person: Person) -> None:
    assert_problem(person.me(), 401, "invalid_token")
    assert_problem(person.try_refresh(), 401, "invalid_refresh_token")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type this at the question."""
    return lambda text: monkeypatch.setattr(sys, "stdin", StringIO(text))


@pytest.mark.ledger("H-INF-17")
def test_end_sessions_signs_everybody_out_and_shuts_nobody_out(alice: Person, bob: Person) -> None:
    laptop = Person(alice.http, alice.email).login()
    assert end_sessions("--yes") == "Every session has ended of 2 users.\n"
    for device in (alice, laptop, bob):
        assert_signed_out(device)
        assert device.login().me().status_code == 200
        assert device.refresh().me().status_code == 200


@pytest.mark.ledger("H-INF-17")
def test_end_sessions_is_one_statement_and_its_event_however_many_users(
    alice: Person, bob: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    sent = statements(lambda: end_sessions("--yes"))
    assert [sql.split()[0] for sql in sent] == ["UPDATE", "INSERT"]


def test_end_sessions_signs_out_of_the_admin_too(admin: Browser) -> None:
    assert admin.get(USERS).status_code == 200
    end_sessions("--yes")
    assert admin.get(USERS).status_code == 302


@pytest.mark.parametrize("spelling", ["alice@example.com", "Alice@EXAMPLE.com"])
def test_end_sessions_of_one_user_leaves_the_others_signed_in(alice: Person, bob: Person, spelling: str) -> None:
    assert end_sessions("--yes", "--user", spelling) == "Every session has ended of 1 user.\n"
    assert_signed_out(alice)
    assert bob.refresh().me().status_code == 200
    assert alice.login().me().status_code == 200


@pytest.mark.parametrize("answer", ["yes\n", "YES\n", " yes \n"])
def test_end_sessions_asks_first(alice: Person, typed: Callable[[str], None], answer: str) -> None:
    typed(answer)
    end_sessions()
    assert_signed_out(alice)


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_end_sessions_does_nothing_without_a_yes(alice: Person, typed: Callable[[str], None], answer: str) -> None:
    typed(answer)
    with pytest.raises(ImproperlyConfigured, match=r"^No session was ended; answer 'yes', or give --yes\.$"):
        end_sessions()
    assert alice.refresh().me().status_code == 200


@pytest.mark.parametrize("stranger", ["nobody@example.com", "not an address", ""])
def test_end_sessions_of_nobody_we_know_ends_nothing(alice: Person, stranger: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^There is no user with the e-mail address '{stranger}'"):
        end_sessions("--yes", "--user", stranger)
    assert alice.refresh().me().status_code == 200
