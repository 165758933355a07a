"""Django's SMTP backend with a deadline for a whole mail, because smtplib limits only the time between two bytes.

A mail server that sends a byte from time to time would hold the outbox of its process, and its shutdown, for hours.
"""

import io
import math
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from django.core.mail.backends import smtp

from latchkey.conf.email import TIMEOUT

MAIL_FACTOR = 4
"""Times the timeout of one SMTP reply: the time for a whole mail, with the connection if it has to be opened."""

CHECK_SECONDS = 0.5
"""Seconds after which a wait notices that the process stops."""


class Deadline:
    """When the mail that is being sent has to be sent (monotonic seconds); `process_at` holds for the whole process."""

    process_at: ClassVar[float] = math.inf

    def __init__(self) -> None:
        self.at = math.inf

    def require_time(self, idle_until: float) -> float:
        """Return the time to wait before asking again; raises TimeoutError when there is none left."""
        left = min(self.at, self.process_at, idle_until) - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, CHECK_SECONDS)


class DeadlineReader(io.RawIOBase):
    """The receiving side of a socket, which raises TimeoutError after its timeout or at the deadline."""

    def __init__(self, connection: Any, deadline: Deadline) -> None:
        self.connection, self.deadline = connection, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        timeout = self.connection.gettimeout()
        idle_until = math.inf if timeout is None else time.monotonic() + timeout
        try:
            while True:
                self.connection.settimeout(self.deadline.require_time(idle_until))
                try:
                    return int(self.connection.recv_into(buffer))
                except TimeoutError:
                    continue
        finally:
            self.connection.settimeout(timeout)


class _DeadlineReplies(smtplib.SMTP):
    """Replies are read until a deadline; every command of SMTP ends with its reply."""

    def __init__(self, deadline: Deadline, *args: Any, **kwargs: Any) -> None:
        self.deadline = deadline
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:  # at the start, and again after STARTTLS
            self.file = io.BufferedReader(DeadlineReader(self.sock, self.deadline))
        return super().getreply()


class _SMTP(_DeadlineReplies):
    """SMTP, with STARTTLS as the backend wants it."""


class _SMTPS(_DeadlineReplies, smtplib.SMTP_SSL):
    """SMTP over TLS from the start."""


class EmailBackend(smtp.EmailBackend):
    """Django's backend, in which `open`, which precedes each mail, starts the time for that mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deadline = Deadline()

    @property
    def connection_class(self) -> Any:
        return partial(_SMTPS if self.use_ssl else _SMTP, self.deadline)

    def open(self) -> bool | None:
        self.deadline.at = time.monotonic() + MAIL_FACTOR * (self.timeout or TIMEOUT)
        return super().open()

    def close(self) -> None:
        """Say goodbye, for as long as one reply may take."""
        self.deadline.at = time.monotonic() + (self.timeout or TIMEOUT)
        super().close()


@contextmanager
def deliveries_ending(seconds: float) -> Iterator[None]:
    """Have all deliveries of this process end within this time, because it stops."""
    Deadline.process_at = time.monotonic() + seconds
    try:
        yield
    finally:
        Deadline.process_at = math.inf
