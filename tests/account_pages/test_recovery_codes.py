"""/account/security/recovery-codes/: new codes, shown once."""

import pytest
import time_machine

from tests.account_pages.visitor import RECOVERY_CODES, SECURITY, Visitor
from tests.factors.apps import App, add_app
from tests.people import Person


@pytest.fixture
def app(clock: time_machine.Traveller, alice: Person, visitor: Visitor) -> App:
    """The authenticator app of alice, who is signed in to the browser with it."""
    app = add_app(alice)
    visitor.sign_in(alice.email)
    visitor.submit(code=app.next_code())
    return app


def test_new_recovery_codes_replace_the_old_ones(app: App, alice: Person, visitor: Visitor) -> None:
    visitor.open(RECOVERY_CODES)
    page = visitor.submit(action=RECOVERY_CODES)
    assert len(page.codes) == 10
    assert not {*page.codes} & {*app.recovery_codes}
    assert page.answer.headers["Cache-Control"] == "no-store"
    old, new = Visitor(alice.http), Visitor(alice.http)
    old.sign_in(alice.email)
    assert old.submit(recovery_code=app.recovery_codes[0]).status == 400
    new.sign_in(alice.email)
    assert new.submit(recovery_code=page.codes[0]).path == SECURITY


def test_new_recovery_codes_end_all_other_sessions_and_keep_this_browser_signed_in(
    app: App, alice: Person, visitor: Visitor
) -> None:
    other = Visitor(alice.http)
    other.sign_in(alice.email)
    other.submit(recovery_code=app.recovery_codes[0])
    assert other.is_signed_in()
    visitor.open(RECOVERY_CODES)
    visitor.submit(action=RECOVERY_CODES)
    assert visitor.is_signed_in()
    assert not other.is_signed_in()


def test_account_without_second_factor_gets_no_recovery_codes(alice: Person, visitor: Visitor) -> None:
    visitor.sign_in(alice.email)
    visitor.open(RECOVERY_CODES)
    page = visitor.submit(action=RECOVERY_CODES)
    assert page.status == 400
    assert page.codes == []
