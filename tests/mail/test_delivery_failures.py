"""Servers fail in many ways: a mail is tried again, or failed where that is of no use, and never lost."""

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from latchkey.audit.models import AuditEvent
from latchkey.conf.email import parse_email_url
from latchkey.mail.delivery import Outcome
from latchkey.mail.failures import NOT_CONFIGURED
from latchkey.mail.models import Mail
from latchkey.mail.queue import BACKOFF, LEASE_FACTOR, MAX_AGE, claim_next, mark_failed, mark_sent, reschedule
from tests.mail.test_delivery import DeliverDueMails, EnqueueMail
from tests.postgres import free_port
from tests.support.smtp_server import GREYLISTED, SmtpServer, abort_connection


@pytest.fixture
def clock() -> time_machine.Traveller:
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def wait_of(row: Mail) -> timedelta:
    """Return how long a mail has to wait from now on."""
    row.refresh_from_db()
    return row.next_attempt_at - datetime.now(UTC)


def test_a_greylisted_mail_is_accepted_when_it_comes_again(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
) -> None:
    configured_smtp_server.on_recipient = lambda server, address: GREYLISTED
    row = enqueue_mail()
    assert deliver_due_mails() == [Outcome.DEFERRED]
    assert wait_of(row) == timedelta(minutes=1)
    assert row.last_error == "refused 450"
    assert deliver_due_mails() == []
    configured_smtp_server.on_recipient = lambda server, address: None
    clock.shift(timedelta(minutes=1))
    assert deliver_due_mails() == [Outcome.SENT]
    assert configured_smtp_server.recipients == {row.to_address: 1}


def test_the_waits_grow_and_after_a_day_the_mail_is_given_up(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
) -> None:
    configured_smtp_server.on_recipient = lambda server, address: GREYLISTED
    row = enqueue_mail()
    waits = []
    while deliver_due_mails() == [Outcome.DEFERRED]:
        waits.append(wait_of(row))
        clock.shift(waits[-1])
    row.refresh_from_db()
    assert waits[: len(BACKOFF)] == BACKOFF
    assert set(waits[len(BACKOFF) :]) == {BACKOFF[-1]}
    assert MAX_AGE - BACKOFF[-1] < sum(waits, timedelta()) <= MAX_AGE
    assert (row.attempts, row.last_error, bytes(row.sealed)) == (len(waits) + 1, "refused 450", b"")
    assert row.failed_at


def test_a_mail_that_waited_while_nobody_served_is_tried_before_it_is_given_up(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
) -> None:
    enqueue_mail()
    clock.shift(timedelta(days=3))
    assert deliver_due_mails() == [Outcome.SENT]


@pytest.mark.parametrize("hook", ["on_recipient", "on_data"])
def test_a_refusal_for_good_ends_it_at_once_and_holds_up_no_other_mail(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, hook: str
) -> None:
    refusals = iter(["550 5.1.1 No such user <alice@example.com>"])
    setattr(configured_smtp_server, hook, lambda *arguments: next(refusals, None))
    enqueue_mail()
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.FAILED, Outcome.SENT]
    assert configured_smtp_server.sessions == 1
    assert configured_smtp_server.recipients == {"bob@example.com": 1}
    row = Mail.objects.get(sent_at=None)
    assert (row.last_error, bytes(row.encrypted_context), row.attempts) == ("refused 550", b"", 1)


@pytest.mark.parametrize("hook", ["on_recipient", "on_data"])
def test_a_mail_whose_connection_is_dropped_is_tried_again(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
    hook: str,
) -> None:
    setattr(configured_smtp_server, hook, lambda server, *address: abort_connection(server))
    row = enqueue_mail()
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    assert wait_of(row) == timedelta(minutes=1)
    assert row.last_error == "connection lost"
    setattr(configured_smtp_server, hook, lambda *arguments: None)
    clock.shift(timedelta(minutes=1))
    assert deliver_due_mails() == [Outcome.SENT, Outcome.SENT]


def test_a_mail_that_was_taken_without_a_word_comes_again_as_the_same_mail(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
) -> None:
    configured_smtp_server.on_accepted = abort_connection
    enqueue_mail()
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    configured_smtp_server.on_accepted = lambda server: None
    clock.shift(timedelta(minutes=1))
    assert deliver_due_mails() == [Outcome.SENT]
    first, second = configured_smtp_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]


def test_a_courier_that_was_too_slow_changes_nothing_any_more(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, clock: time_machine.Traveller
) -> None:
    row = enqueue_mail()
    slow = claim_next()
    assert slow
    assert claim_next() is None
    clock.shift(LEASE_FACTOR * timedelta(seconds=1))
    other = claim_next()
    assert other
    assert (other.pk, other.attempts) == (slow.pk, 2)
    reschedule(slow, NOT_CONFIGURED)
    mark_failed(slow, NOT_CONFIGURED)
    mark_sent(other)
    mark_sent(slow)
    row.refresh_from_db()
    assert (row.last_error, row.failed_at) == ("", None)
    assert AuditEvent.objects.filter(name__startswith="mail.").count() == 1


def test_nobody_listens(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    settings.MAIL_SERVER = parse_email_url(f"smtp://127.0.0.1:{free_port()}?tls=off&timeout=1")
    rows = [enqueue_mail(), enqueue_mail()]
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    for row in rows:
        row.refresh_from_db()
    assert [(row.attempts, row.last_error) for row in rows] == [(1, "connection refused"), (0, "")]


def test_a_host_that_does_not_exist(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    settings.MAIL_SERVER = parse_email_url("smtp://mail.invalid?tls=off&timeout=1")
    row = enqueue_mail()
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    row.refresh_from_db()
    assert row.last_error == "host not found"


@pytest.mark.ledger("ASVS-13.1.3")
def test_a_server_that_says_nothing_is_waited_for_no_longer_than_the_timeout(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.MAIL_SERVER = parse_email_url(f"smtp://127.0.0.1:{silent.getsockname()[1]}?tls=off&timeout=1")
        row = enqueue_mail()
        assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    row.refresh_from_db()
    assert row.last_error == "timed out"


@pytest.mark.parametrize("reply", ["553 5.1.8 Not for no-reply@example.com", "421 4.7.0 Too busy"])
def test_a_server_that_does_not_want_us_costs_one_mail_one_attempt(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, reply: str
) -> None:
    configured_smtp_server.on_sender = lambda server, address: reply
    rows = [enqueue_mail(), enqueue_mail()]
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    for row in rows:
        row.refresh_from_db()
    assert [(row.attempts, row.last_error) for row in rows] == [(1, f"sender refused {reply[:3]}"), (0, "")]
    assert [row.failed_at for row in rows] == [None, None]


def test_a_mistake_of_ours_is_logged_and_holds_up_no_other_mail(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    broken = enqueue_mail(expires_at="tomorrow")
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.DEFERRED, Outcome.SENT]
    assert wait_of(broken) > timedelta(seconds=50)
    assert broken.last_error == "mistake of ours, see the log"
