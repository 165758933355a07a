"""The courier of a worker: a thread that goes round for as long as the worker serves."""

import os
import secrets
import time
from contextlib import suppress
from threading import Event, Thread

import structlog
from django.db import DatabaseError, connection

from latchkey.mail.delivery import Outcome, deliver
from latchkey.mail.notices import tell
from latchkey.mail.outbox import BELL
from latchkey.mail.prune import prune

LOOKS_EVERY = 5.0
"""Seconds between two looks at the outbox; what is posted in this process is seen sooner."""
SOONEST, LATEST = 250, 1_000
"""Milliseconds that a mail which was posted in this process waits, by chance. The answer to who asked for it is gone
by then: sending one beside it took its time, and so told which addresses have an account (OWASP Forgot Password)."""
PAUSE = 10.0
"""Seconds that a mail server is left alone when it could not be used."""
PRUNES_EVERY = 3600.0
"""Seconds between two looks for rows that nobody needs any more."""
NICENESS = 10
"""Linux counts it by thread: answers go before mails, which need the processor for templates and TLS."""

log = structlog.get_logger(__name__)


class Courier:
    """Delivers mails in a thread of its own, over a connection to the database that it has only while it is at work."""

    def __init__(self) -> None:
        self.stopping, self.is_cut_off, self.pruned_at = Event(), False, 0.0
        self.thread = Thread(target=self.work, name="mail", daemon=True)

    def end(self, seconds: float) -> None:
        """Have the mail in hand finished, and no other one begun; wait for so long at most."""
        self.stopping.set()
        BELL.set()
        self.thread.join(seconds)

    def work(self) -> None:
        with suppress(OSError):
            os.nice(NICENESS)
        while not self.stopping.is_set():
            BELL.clear()
            match self.go_round():
                case Outcome.AWAY:
                    self.stopping.wait(PAUSE)
                case None:
                    BELL.wait(LOOKS_EVERY)
                    self.stopping.wait((SOONEST + secrets.randbelow(LATEST - SOONEST)) / 1000)

    def go_round(self) -> Outcome | None:
        """Send a batch and return what became of its last mail, None where there was none; whatever fails is logged."""
        outcome = None
        try:
            for outcome in deliver():  # noqa: B007 - the last one is what counts
                if self.stopping.is_set():
                    break
            while tell():  # what it posts rings the bell for the next round
                if self.stopping.is_set():
                    break
            self.is_cut_off = False
            if time.monotonic() - self.pruned_at >= PRUNES_EVERY:
                self.pruned_at = time.monotonic()
                sum(prune())
        except DatabaseError as error:
            if not self.is_cut_off:  # a line for each outage is enough
                log.error("database.unavailable", error=type(error).__name__)
            self.is_cut_off = True
        except Exception:
            log.exception("mail.failed")
            outcome = Outcome.AWAY
        finally:
            connection.close()
        return outcome
