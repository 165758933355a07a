"""Rate limits of the admin login and of the admin password form, shared with those of the API."""

from collections.abc import Callable

import pytest

from tests.people import PASSWORD, Person
from tests.support.admin_pages import Browser
from tests.support.login_attempts import WRONG_PASSWORD, try_password

STAFF = "boss@example.com"


@pytest.fixture
def superuser(alice: Person, user_row: Callable[[Person], object]) -> Person:
    from latchkey.accounts.models import User

    User.objects.filter(pk=alice.id).update(is_staff=True, is_superuser=True)
    return alice


def try_admin_login(email: str, password: str, address: str) -> str:
    """Try to sign in to the admin area; return the outcome: in, wait or refused."""
    browser = Browser(REMOTE_ADDR=address)
    answer = browser.post("/admin/login/", {"username": email, "password": password})
    if answer.status_code == 302:
        return "in"
    if "Too many attempts" in answer.text:
        return "wait"
    assert "No active staff account matches" in answer.text
    return "refused"


@pytest.mark.ledger("ASVS-6.3.4", "H-ADM-01")
def test_admin_login_is_rate_limited_like_login(superuser: Person) -> None:
    outcomes = [try_admin_login(superuser.email, WRONG_PASSWORD, "192.0.2.66") for _ in range(11)]
    assert outcomes == ["refused"] * 10 + ["wait"]
    assert try_admin_login(superuser.email, PASSWORD, "192.0.2.66") == "wait"
    assert try_admin_login(superuser.email, PASSWORD, "127.0.0.1") == "in"  # a known device


def test_admin_login_and_login_share_their_failure_counter(superuser: Person, mallory: Person) -> None:
    for _ in range(5):
        assert try_admin_login(superuser.email, WRONG_PASSWORD, "192.0.2.66") == "refused"
        assert try_password(mallory).status_code == 401
    assert try_admin_login(superuser.email, PASSWORD, "192.0.2.66") == "wait"
    assert try_password(mallory, PASSWORD).status_code == 429


def test_admin_login_of_a_non_staff_user_counts_as_failure_with_the_right_password(alice: Person) -> None:
    assert [try_admin_login(alice.email, PASSWORD, "192.0.2.66") for _ in range(11)] == ["refused"] * 10 + ["wait"]


@pytest.mark.ledger("ASVS-16.3.1")
def test_admin_login_records_one_event_per_attempt(superuser: Person, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    for password in (WRONG_PASSWORD, PASSWORD):
        try_admin_login(superuser.email, password, "127.0.0.1")
    events = [line for record, line in zip(caplog.records, caplog.messages, strict=True) if "audit" in record.name]
    assert ["admin_login.failed" in events[0], "admin_login.succeeded" in events[1]] == [True, True]
    assert len(events) == 2


@pytest.mark.ledger("ASVS-6.3.1")
def test_admin_password_change_rate_limits_guesses_of_the_current_password(
    superuser: Person, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(REMOTE_ADDR="192.0.2.66")
    assert browser.post("/admin/login/", {"username": superuser.email, "password": PASSWORD}).status_code == 302
    new = dict.fromkeys(("new_password1", "new_password2"), "another long password of mine")
    caplog.clear()
    pages = [browser.post("/admin/password_change/", {"old_password": WRONG_PASSWORD, **new}).text for _ in range(11)]
    assert ["not the password of the account" in page for page in pages] == [True] * 10 + [False]
    assert len([line for line in caplog.messages if "password.refused" in line]) == 10
    page = browser.post("/admin/password_change/", {"old_password": PASSWORD, **new})
    assert "Too many attempts. Try again in" in page.text
    assert try_password(superuser, PASSWORD).status_code == 200
