"""Delivery failures: a mail is retried with backoff, or fails at once where a retry is useless, and is never lost."""

import socket
from collections.abc import Iterator
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
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=False) as traveller:
        yield traveller


def wait_of(row: Mail) -> timedelta:
    """Return how long a mail still has to wait."""
    row.refresh_from_db()
    return row.next_attempt_at - datetime.now(UTC)


def test_greylisted_mail_is_deferred_and_delivered_a_minute_later(
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


def test_deferred_mail_is_retried_with_growing_backoff_and_fails_after_a_day(
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
    assert (row.attempts, row.last_error, bytes(row.encrypted_context)) == (len(waits) + 1, "refused 450", b"")
    assert row.failed_at


def test_mail_older_than_the_maximum_age_gets_one_attempt_after_an_outage(
    configured_smtp_server: SmtpServer,
    enqueue_mail: EnqueueMail,
    deliver_due_mails: DeliverDueMails,
    clock: time_machine.Traveller,
) -> None:
    enqueue_mail()
    clock.shift(timedelta(days=3))
    assert deliver_due_mails() == [Outcome.SENT]


@pytest.mark.parametrize("hook", ["on_recipient", "on_data"])
def test_permanent_smtp_error_fails_the_mail_at_once_and_delays_no_other(
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
def test_mail_whose_smtp_connection_is_lost_is_retried(
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


def test_mail_accepted_without_a_reply_is_resent_with_the_same_message_id(
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


def test_mail_worker_with_an_expired_lease_changes_nothing(
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


def test_delivery_to_a_closed_port_defers_with_connection_refused(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    settings.MAIL_SERVER = parse_email_url(f"smtp://127.0.0.1:{free_port()}?tls=off&timeout=1")
    rows = [enqueue_mail(), enqueue_mail()]
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    for row in rows:
        row.refresh_from_db()
    assert [(row.attempts, row.last_error) for row in rows] == [(1, "connection refused"), (0, "")]


def test_delivery_to_an_unknown_host_defers_with_host_not_found(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    settings.MAIL_SERVER = parse_email_url("smtp://mail.invalid?tls=off&timeout=1")
    row = enqueue_mail()
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    row.refresh_from_db()
    assert row.last_error == "host not found"


@pytest.mark.ledger("ASVS-13.1.3")
def test_delivery_to_a_silent_server_times_out(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, settings: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.MAIL_SERVER = parse_email_url(f"smtp://127.0.0.1:{silent.getsockname()[1]}?tls=off&timeout=1")
        row = enqueue_mail()
        assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    row.refresh_from_db()
    assert row.last_error == "timed out"


@pytest.mark.parametrize("reply", ["553 5.1.8 Not for no-reply@example.com", "421 4.7.0 Too busy"])
def test_smtp_server_that_rejects_the_sender_costs_one_attempt_of_one_mail(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails, reply: str
) -> None:
    configured_smtp_server.on_sender = lambda server, address: reply
    rows = [enqueue_mail(), enqueue_mail()]
    assert deliver_due_mails() == [Outcome.SERVER_DOWN]
    for row in rows:
        row.refresh_from_db()
    assert [(row.attempts, row.last_error) for row in rows] == [(1, f"sender refused {reply[:3]}"), (0, "")]
    assert [row.failed_at for row in rows] == [None, None]


def test_internal_error_of_one_mail_defers_it_and_delays_no_other(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail, deliver_due_mails: DeliverDueMails
) -> None:
    broken = enqueue_mail(expires_at="tomorrow")
    enqueue_mail(to="bob@example.com")
    assert deliver_due_mails() == [Outcome.DEFERRED, Outcome.SENT]
    assert wait_of(broken) > timedelta(seconds=50)
    assert broken.last_error == "internal error, see the log"
