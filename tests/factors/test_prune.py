"""Pruning of tickets and of apps that were set up halfway, by the command and by the workers."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.core import clock as clocks
from latchkey.factors import totp
from latchkey.factors.models import TotpSecret
from latchkey.factors.tickets import LIFETIME, Ticket, TicketPurpose, issue_ticket, prune_tickets
from latchkey.metrics_server.pruning import prune_all
from tests.people import Person
from tests.support.second_factors import set_up_app


@pytest.fixture
def leftovers(clock: Traveller, alice: Person, bob: Person) -> None:
    """Two expired tickets and one live, a pending app that has expired, and one that is a factor."""
    user = User.objects.get(pk=alice.id)
    for _ in range(2):
        issue_ticket(TicketPurpose.SECOND_FACTOR, clocks.now(), user)
    totp.begin_enrolment(user)
    set_up_app(bob.email)
    clock.shift(totp.PENDING_LIFETIME - timedelta(seconds=1))
    issue_ticket(TicketPurpose.PASSKEY_SIGN_IN, clocks.now())


def left() -> tuple[int, int]:
    return Ticket.objects.count(), TotpSecret.objects.count()


@pytest.mark.usefixtures("leftovers")
def test_prune_command_deletes_expired_tickets_and_abandoned_enrolments(clock: Traveller) -> None:
    output = StringIO()
    call_command("prune", stdout=output, stderr=StringIO())
    assert "2 expired tickets and abandoned enrolments deleted." in output.getvalue()
    assert left() == (1, 2)
    clock.shift(timedelta(seconds=1))
    call_command("prune", stdout=output, stderr=StringIO())
    assert "1 expired tickets and abandoned enrolments deleted." in output.getvalue()
    assert left() == (1, 1)


@pytest.mark.usefixtures("leftovers")
def test_workers_prune_tickets_and_enrolments_too(clock: Traveller) -> None:
    clock.shift(LIFETIME)
    sum(prune_all())
    assert left() == (0, 1)


@pytest.mark.usefixtures("leftovers")
def test_tickets_are_pruned_in_batches(clock: Traveller) -> None:
    clock.shift(LIFETIME)
    assert list(prune_tickets(clocks.now(), batch=2)) == [2, 1]
