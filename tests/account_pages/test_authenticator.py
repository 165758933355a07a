"""/account/security/authenticator/: an authenticator app is set up and removed in a browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session as BrowserSession

from latchkey.core.clock import now
from tests.account_pages.visitor import AUTHENTICATOR, CONFIRM, SECURITY, SIGN_IN, Page, Visitor
from tests.factors.apps import add_app, code_at, try_confirm, wrong_code
from tests.people import PASSWORD, Person

REMOVE = f"{AUTHENTICATOR}remove/"


@pytest.fixture
def alice(clock: time_machine.Traveller, alice: Person) -> Person:
    """The person, at a clock that stands still."""
    return alice


def begin(visitor: Visitor) -> str:
    """Press the button on the overview, and return the secret of the page that follows."""
    visitor.open(SECURITY)
    page = visitor.submit(action=AUTHENTICATOR)
    assert page.path == AUTHENTICATOR
    (secret,) = page.codes
    return secret


def test_authenticator_app_is_set_up_with_a_code_and_the_recovery_codes_are_shown_once(
    alice: Person, visitor: Visitor
) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    assert "<svg" in visitor.page.answer.text
    assert f"otpauth://totp/Latchkey:{alice.email}?secret={secret}&amp;issuer=Latchkey" in visitor.page.answer.text
    page = visitor.submit(code=code_at(secret, now(), -1))
    assert page.status == 200
    assert len({*page.codes}) == 10
    assert "they are shown only now" in page.text
    assert page.codes[0] not in visitor.open(SECURITY).answer.text
    assert "10 codes left." in visitor.page.text
    again = Visitor(alice.http)
    again.sign_in(alice.email)
    assert again.submit(code=code_at(secret, now())).path == SECURITY


def test_new_authenticator_app_ends_all_other_sessions_and_keeps_this_browser_signed_in(
    alice: Person, visitor: Visitor
) -> None:
    other = Visitor(alice.http)
    other.sign_in(alice.email)
    visitor.sign_in(alice.email)
    secret, cookie = begin(visitor), visitor.http.cookies["sessionid"]
    visitor.submit(code=code_at(secret, now()))
    assert visitor.is_signed_in()
    assert not other.is_signed_in()
    assert alice.me().status_code == 401
    assert visitor.http.cookies["sessionid"] != cookie
    assert visitor.open(f"{AUTHENTICATOR}remove/").path == REMOVE  # the code was a recent proof, too


def test_wrong_code_leaves_the_same_secret_on_the_page(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    page = visitor.submit(code=wrong_code(secret, now()))
    assert page.status == 400
    assert "The code is wrong" in page.text
    assert page.codes == visitor.open(AUTHENTICATOR).codes == [secret]
    assert 'aria-invalid="true"' in page.answer.text
    assert alice.me().status_code == 200


def test_secret_that_was_not_confirmed_within_ten_minutes_is_refused(
    clock: time_machine.Traveller, alice: Person, visitor: Visitor
) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    clock.shift(timedelta(minutes=9))
    visitor.open(f"{CONFIRM}?next={AUTHENTICATOR}")
    assert visitor.submit(password=PASSWORD).codes == [secret]
    clock.shift(timedelta(minutes=1, seconds=1))
    page = visitor.submit(code=code_at(secret, now()))
    assert page.status == 400
    assert "then begin again" in page.text


def test_another_browser_of_the_account_never_shows_the_secret(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    other = Visitor(alice.http)
    other.sign_in(alice.email)
    page = other.open(AUTHENTICATOR)
    assert page.status == 200
    assert page.codes == []
    assert secret not in page.answer.text


@pytest.mark.ledger("ASVS-11.4.2")
def test_stored_browser_session_does_not_contain_the_secret(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    for row in BrowserSession.objects.all():
        assert secret not in row.session_data
        assert secret not in str(row.get_decoded())


def test_codes_on_the_page_count_as_attempts_of_the_account(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    for _ in range(5):
        visitor.submit(code=wrong_code(secret, now()))
    page = visitor.submit(code=code_at(secret, now()))
    assert page.status == 429
    assert try_confirm(alice, code_at(secret, now())).status_code == 429


def test_nobody_sets_an_authenticator_app_up_while_second_factors_are_off(
    alice: Person, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    visitor.sign_in(alice.email)
    visitor.open(AUTHENTICATOR)
    set_policy(second_factor="off")
    page = visitor.submit(action=AUTHENTICATOR)
    assert page.status == 400
    assert "Setting up second factors is switched off." in page.text


def test_second_authenticator_app_is_refused(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    visitor.submit(code=code_at(secret, now()))
    visitor.open(AUTHENTICATOR)
    page = visitor.submit(action=AUTHENTICATOR)
    assert page.status == 400
    assert "The account has an authenticator app already" in page.text


def test_authenticator_app_is_removed_after_one_more_question(alice: Person, visitor: Visitor) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    other = Visitor(alice.http)
    other.sign_in(alice.email)
    other.submit(recovery_code=app.recovery_codes[0])
    page = visitor.open(REMOVE)
    assert "It is your only second factor" in page.text
    page = visitor.submit(action=REMOVE)
    assert page.path == SECURITY
    assert "Your authenticator app is removed." in page.text
    assert "Not set up." in page.text
    assert not other.is_signed_in()
    assert Visitor(alice.http).sign_in(alice.email).path == SECURITY
    assert Page(visitor.http.get(SECURITY)).text.count("is removed") == 0


def test_removal_in_a_second_window_leads_back_to_the_overview(alice: Person, visitor: Visitor) -> None:
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    window = visitor.open(REMOVE)
    visitor.submit(action=REMOVE)
    visitor.page = window
    token = visitor.http.cookies["csrftoken"]
    assert Page(visitor.http.post(REMOVE, data={"csrfmiddlewaretoken": token})).path == SECURITY
    assert visitor.is_signed_in()


def test_session_that_ended_meanwhile_changes_nothing(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    secret = begin(visitor)
    changed = {"current_password": PASSWORD, "new_password": "seven purple trains to the sea"}
    assert alice.http.post("/api/password/change/", json=changed, headers=alice.bearer()).status_code == 200
    assert visitor.submit(code=code_at(secret, now())).path == SIGN_IN
    assert not visitor.is_signed_in()
