"""GET /api/me/email/: whether the caller's e-mail address is confirmed. /api/me/ keeps its three keys."""

from collections.abc import Callable

import httpx
import pytest

from latchkey.accounts.models import User
from tests.outbox import last_mail
from tests.people import PASSWORD, Person
from tests.problems import assert_problem


def email_status(person: Person, path: str = "/api/me/email/") -> httpx.Response:
    return person.http.get(path, headers=person.bearer())


@pytest.mark.parametrize("path", ["/api/me/email/", "/api/me/email"])
def test_email_status_tells_whether_the_address_is_confirmed(alice: Person, path: str) -> None:
    assert email_status(alice, path).text == '{"email": "alice@example.com", "email_verified": false}'
    alice.http.post("/api/email/verify/resend/", json={"email": alice.email})
    alice.http.post("/api/email/verify/", json={"token": last_mail(alice.email).token})
    assert email_status(alice, path).text == '{"email": "alice@example.com", "email_verified": true}'
    assert list(alice.me().json()) == ["id", "username", "email"]


def test_email_status_follows_a_change_of_address(alice: Person) -> None:
    body = {"email": "new@example.com", "password": PASSWORD}
    alice.http.post("/api/email/change/", json=body, headers=alice.bearer())
    assert email_status(alice).json() == {"email": alice.email, "email_verified": False}
    alice.http.post("/api/email/change/confirm/", json={"token": last_mail("new@example.com").token})
    assert email_status(alice).json() == {"email": "new@example.com", "email_verified": True}


def test_email_status_requires_a_live_session(alice: Person) -> None:
    assert_problem(alice.http.get("/api/me/email/"), 401, "not_authenticated")
    alice.logout()
    assert_problem(email_status(alice), 401, "invalid_token")


def test_email_status_takes_one_statement(
    alice: Person, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    assert len(statements(lambda: email_status(alice))) == 1
    assert User.objects.get(pk=alice.id).email_verified_at is None
