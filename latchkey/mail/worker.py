"""Outbox worker: a background thread of each server process that sends due mails and writes notices.

It runs as long as the process serves, so mail needs no separate service and no cron job.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread

import structlog
from django.db import DatabaseError, connection

from latchkey.core import clock
from latchkey.db.outages import record_outage
from latchkey.mail.delivery import Outcome, deliver_due
from latchkey.mail.notices import process_pending
from latchkey.mail.outbox import mail_queued
from latchkey.mail.smtp import deliveries_ending

POLL_INTERVAL = 5.0
"""Seconds between two polls of the outbox; mails queued in this process are sent sooner."""

MIN_DELAY_MS, MAX_DELAY_MS = 250, 1_000
"""Milliseconds, at random, before a mail queued in this process is sent. By then the request has been answered: sending
at the same time slowed the answer, and so showed which addresses have an account (OWASP Forgot Password)."""

SERVER_RETRY_DELAY = 10.0
"""Seconds until the next attempt after the mail server was unavailable."""

MAX_SILENCE = timedelta(seconds=15)
"""How far before a failed poll its outage may have begun: polls are further apart where a mail server is slow."""

RESULT_SECONDS = 1.0
"""Seconds to store the result of a mail whose delivery was ended, because the process stops."""

NICENESS = 10
"""Of this thread alone, as Linux counts it: answers go before mails, which cost CPU time for templates and TLS."""

log = structlog.get_logger(__name__)


class MailWorker:
    """The thread of the outbox worker; it holds a connection to the database only while there is work."""

    def __init__(self, jobs: Sequence[Callable[[], int]] = (process_pending,)) -> None:
        self.jobs = jobs  # each queues mails, and returns how many things it has dealt with
        self.stopping, self.database_down = Event(), False
        self.answered_at = clock.now()  # when the database last did
        self.thread = Thread(target=self.run, name="mail", daemon=True)

    def stop(self, seconds: float) -> None:
        """Finish the current mail and start no other one; wait this long at most.

        A mail server that takes longer does not delay the end of the process: the mail is tried again.
        """
        self.stopping.set()
        mail_queued.set()
        with deliveries_ending(seconds - RESULT_SECONDS):
            self.thread.join(seconds)

    def run(self) -> None:
        """Work until stopped: after a batch, wait for a queued mail, the next poll, or the mail server."""
        with suppress(OSError):
            os.nice(NICENESS)
        while not self.stopping.is_set():
            mail_queued.clear()
            match self.run_once():
                case Outcome.SERVER_DOWN:
                    self.stopping.wait(SERVER_RETRY_DELAY)
                case None:
                    mail_queued.wait(POLL_INTERVAL)
                    self.stopping.wait((MIN_DELAY_MS + secrets.randbelow(MAX_DELAY_MS - MIN_DELAY_MS)) / 1000)

    def run_once(self) -> Outcome | None:
        """Send a batch and return the outcome of its last mail, None if no mail was due; exceptions are logged."""
        outcome, answered_at = None, max(self.answered_at, clock.now() - MAX_SILENCE)
        try:
            for outcome in deliver_due():  # noqa: B007 - the last one is what counts
                if self.stopping.is_set():
                    break
            for job in self.jobs:  # the mails that they queue are sent in the next run
                while job() and not self.stopping.is_set():
                    pass
            if self.database_down:  # until now: nobody else may have tried
                record_outage(answered_at)
            self.database_down, self.answered_at = False, clock.now()
        except DatabaseError as error:
            record_outage(answered_at)
            if not self.database_down:  # a line for each outage is enough
                log.error("database.unavailable", error=type(error).__name__)
            self.database_down = True
        except Exception:
            log.exception("mail_worker.failed")
            outcome = Outcome.SERVER_DOWN
        finally:
            connection.close()
        return outcome
