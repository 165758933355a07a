"""/account/confirm/: a change of factors asks for a password or a factor of the last ten minutes."""

from datetime import timedelta

import pytest
import time_machine

from latchkey.core.clock import now
from tests.account_pages.visitor import AUTHENTICATOR, CONFIRM, RECOVERY_CODES, SECURITY, Page, Visitor
from tests.factors.apps import add_app, wrong_code
from tests.people import PASSWORD, Person, try_login

REMOVE = f"{AUTHENTICATOR}remove/"
CHANGES = [AUTHENTICATOR, REMOVE, RECOVERY_CODES, "/account/security/passkeys/add/"]


@pytest.fixture
def alice(clock: time_machine.Traveller, alice: Person) -> Person:
    """The person, at a clock that stands still."""
    return alice


@pytest.mark.ledger("ASVS-7.5.1")
@pytest.mark.parametrize("path", CHANGES)
def test_page_of_a_change_asks_for_the_password_after_ten_minutes_and_leads_back(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, path: str
) -> None:
    visitor.sign_in(alice.email)
    clock.shift(timedelta(minutes=9, seconds=59))
    assert visitor.open(path).path == path
    clock.shift(timedelta(seconds=1))
    assert visitor.open(path).path == CONFIRM
    assert visitor.submit(password=PASSWORD).path == path
    assert visitor.open(path).path == path


@pytest.mark.parametrize("path", CHANGES)
def test_change_is_not_made_without_a_recent_proof(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor, path: str
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    page = visitor.open(RECOVERY_CODES)
    clock.shift(timedelta(minutes=10))
    sent = page.form(action=RECOVERY_CODES).fields | {"code": app.next_code()}
    assert Page(visitor.http.post(path, data=sent)).path == CONFIRM
    assert "10 codes left." in visitor.open(SECURITY).text
    assert "Set up on" in visitor.page.text


def test_account_with_a_second_factor_confirms_with_it_and_not_with_the_password(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    clock.shift(timedelta(minutes=10))
    page = visitor.open(REMOVE)
    assert page.path == CONFIRM
    assert not any("password" in form.fields for form in page.forms)
    sent = page.form("code").fields | {"password": PASSWORD}
    page = visitor.page = Page(visitor.http.post(CONFIRM, data=sent))
    assert page.status == 403
    assert "This takes your second factor" in page.text
    assert visitor.open(REMOVE).path == CONFIRM
    assert visitor.submit(code=wrong_code(app.secret, now())).status == 400
    assert visitor.submit(code=app.next_code()).path == REMOVE


def test_recovery_code_confirms_too(clock: time_machine.Traveller, alice: Person, visitor: Visitor) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    clock.shift(timedelta(minutes=10))
    visitor.open(RECOVERY_CODES)
    assert visitor.submit(recovery_code=app.recovery_codes[5]).path == RECOVERY_CODES


def test_wrong_password_is_shown_beside_the_field_and_counts_as_a_failed_sign_in(
    alice: Person, visitor: Visitor
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(CONFIRM)
    for _ in range(10):
        page = visitor.submit(password="wrong")
        assert page.status == 400
    assert 'aria-invalid="true"' in page.answer.text
    page = visitor.submit(password=PASSWORD)
    assert page.status == 429
    assert try_login(alice.http).status_code == 429


def test_confirmation_replaces_the_cookie(clock: time_machine.Traveller, alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    before = visitor.http.cookies["sessionid"]
    visitor.open(CONFIRM)
    visitor.submit(password=PASSWORD)
    assert visitor.http.cookies["sessionid"] != before
    stolen = Visitor(alice.http)
    stolen.http.cookies.set("sessionid", before)
    assert not stolen.is_signed_in()


def test_empty_confirmation_is_an_error(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    visitor.open(CONFIRM)
    page = visitor.submit(password="")
    assert page.status == 400
    assert "Fill in one of the fields." in page.text


def test_confirmations_are_in_the_history_of_the_account(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    visitor.open(CONFIRM)
    visitor.submit(password="wrong")
    visitor.submit(password=PASSWORD)
    history = alice.http.get("/api/me/events/", headers=alice.bearer()).json()["events"]
    assert [event["event"] for event in history[:3]] == ["step_up.succeeded", "step_up.failed", "password.refused"]
