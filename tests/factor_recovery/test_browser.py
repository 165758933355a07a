"""A recovery in a browser: started from the page of the second factor, and cancelled by a factor that is given."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.factors.delayed_recovery import FactorRecovery
from tests.account_pages.visitor import CONFIRM, SECURITY, SIGN_IN, Visitor
from tests.factor_recovery.steps import WARNING, Owner
from tests.factors.apps import code_at
from tests.outbox import last_mail

SECOND_FACTOR, RECOVERY = "/account/sign-in/second-factor/", "/account/sign-in/recovery/"


@pytest.fixture
def visitor(owner: Owner) -> Visitor:
    """A browser whose owner has typed the password."""
    opened = Visitor(owner.http)
    assert opened.sign_in(owner.person.email).path == SECOND_FACTOR
    return opened


def cancellations() -> list[str]:
    """Return the reasons of all cancellations, in order."""
    cancelled = AuditEvent.objects.filter(name="factor_recovery.cancelled").order_by("pk")
    return list(cancelled.values_list("detail", flat=True))


def test_recovery_is_started_from_the_page_of_the_second_factor(owner: Owner, visitor: Visitor) -> None:
    assert f'href="{RECOVERY}"' in visitor.page.answer.text
    assert "in 7 days" in visitor.open(RECOVERY).text
    assert not FactorRecovery.objects.exists()
    page = visitor.submit()
    assert page.status == 200
    assert f"on {clocks.now() + timedelta(days=7):%Y-%m-%d}" in page.text
    assert last_mail(owner.person.email).kind == WARNING
    assert visitor.open(SECOND_FACTOR).path == SECOND_FACTOR


def test_page_of_the_second_factor_offers_no_recovery_where_the_policy_is_off(
    owner: Owner, visitor: Visitor, set_policy: Callable[..., None]
) -> None:
    set_policy(recovery_delay=0)
    assert RECOVERY not in visitor.open(SECOND_FACTOR).answer.text
    page = visitor.open(RECOVERY)
    assert (page.status, page.forms) == (403, [])
    assert "ask the operator" in page.text


def test_page_of_the_second_factor_offers_no_recovery_without_a_mail_server(visitor: Visitor, settings: Any) -> None:
    settings.MAIL_SERVER = None
    assert RECOVERY not in visitor.open(SECOND_FACTOR).answer.text


def test_recovery_page_refuses_an_address_that_was_never_verified(visitor: Visitor) -> None:
    visitor.open(RECOVERY)
    User.objects.update(email_verified_at=None)
    assert visitor.submit().status == 403
    assert not FactorRecovery.objects.exists()


def test_recovery_page_leads_to_the_sign_in_where_no_password_was_given(owner: Owner) -> None:
    assert Visitor(owner.http).open(RECOVERY).path == SIGN_IN


def test_recovery_page_leads_to_the_sign_in_where_the_ticket_has_expired(
    past_clock: time_machine.Traveller, visitor: Visitor
) -> None:
    visitor.open(RECOVERY)
    past_clock.shift(timedelta(minutes=5))
    assert visitor.submit().path == SIGN_IN
    assert not FactorRecovery.objects.exists()


def test_sign_in_with_a_second_factor_in_a_browser_cancels(owner: Owner, visitor: Visitor) -> None:
    owner.request()
    assert visitor.submit(code=code_at(owner.secret, clocks.now())).path == SECURITY
    assert cancellations() == ["second factor used"]


def test_step_up_with_a_second_factor_in_a_browser_cancels(
    past_clock: time_machine.Traveller, owner: Owner, visitor: Visitor
) -> None:
    visitor.submit(code=code_at(owner.secret, clocks.now()))
    past_clock.shift(timedelta(minutes=10))
    owner.request()
    assert visitor.open("/account/security/recovery-codes/").path == CONFIRM
    visitor.submit(code=code_at(owner.secret, clocks.now()))
    assert cancellations() == ["second factor used"]
