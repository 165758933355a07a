"""The courier of a worker: a thread that goes round for as long as the worker serves."""

import os
import secrets
import time
from contextlib import suppress
from threading import Event, Thread

import structlog
from django.db import DatabaseError, connection

from latchkey.mail.delivery import Outcome, deliver_due
from latchkey.mail.notices import process_pending
from latchkey.mail.outbox import mail_queued
from latchkey.mail.prune import prune

POLL_INTERVAL = 5.0
"""Seconds between two looks at the outbox; what is posted in this process is seen sooner."""
MIN_DELAY_MS, MAX_DELAY_MS = 250, 1_000
"""Milliseconds that a mail which was posted in this process waits, by chance. The answer to who asked for it is gone
by then: sending one beside it took its time, and so told which addresses have an account (OWASP Forgot Password)."""
SERVER_RETRY_DELAY = 10.0
"""Seconds that a mail server is left alone when it could not be used."""
PRUNE_INTERVAL = 3600.0
"""Seconds between two looks for rows that nobody needs any more."""
NICENESS = 10
"""Linux counts it by thread: answers go before mails, which need the processor for templates and TLS."""

log = structlog.get_logger(__name__)


class MailWorker:
    """Delivers mails in a thread of its own, over a connection to the database that it has only while it is at work."""

    def __init__(self) -> None:
        self.stopping, self.database_down, self.pruned_at = Event(), False, 0.0
        self.thread = Thread(target=self.run, name="mail", daemon=True)

    def stop(self, seconds: float) -> None:
        """Have the mail in hand finished, and no other one begun; wait for so long at most."""
        self.stopping.set()
        mail_queued.set()
        self.thread.join(seconds)

    def run(self) -> None:
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
        """Send a batch and return what became of its last mail, None where there was none; whatever fails is logged."""
        outcome = None
        try:
            for outcome in deliver_due():  # noqa: B007 - the last one is what counts
                if self.stopping.is_set():
                    break
            while process_pending():  # what it posts rings the bell for the next round
                if self.stopping.is_set():
                    break
            self.database_down = False
            if time.monotonic() - self.pruned_at >= PRUNE_INTERVAL:
                self.pruned_at = time.monotonic()
                sum(prune())
        except DatabaseError as error:
            if not self.database_down:  # a line for each outage is enough
                log.error("database.unavailable", error=type(error).__name__)
            self.database_down = True
        except Exception:
            log.exception("mail_worker.failed")
            outcome = Outcome.SERVER_DOWN
        finally:
            connection.close()
        return outcome
