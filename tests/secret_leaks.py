"""Nothing that opens a door is in any log: every test's lines are searched, and every server's."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.people import PASSWORD

UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
PUBLIC_ID_PATTERN = re.compile(
    rf"""(?:request_id['"]?[=:] ?['"]?{UUID}|key_id['"]?[=:] ?['"]?[\w-]{{43}}\b)""", re.IGNORECASE
)
"""Request ids are UUIDs too, and a key's id, a random thumbprint, may well begin as a JWT does: taken out before."""
SECRET_PATTERN = re.compile(rf"\beyJ[\w-]{{8,}}|\b{UUID}\b|{PASSWORD}|\btoken=[\w-]+", re.IGNORECASE)
"""A JWT, a UUID, the password of the tests, the token of a link."""


def find_secrets(text: str) -> list[str]:
    return SECRET_PATTERN.findall(PUBLIC_ID_PATTERN.sub("", text))


class _RecordingHandler(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def assert_no_secrets_logged() -> Iterator[Any]:
    """Listen to the log of this process, and search what was said."""
    listener, root = _RecordingHandler(), logging.getLogger()
    root.addHandler(listener)
    try:
        yield
    finally:
        root.removeHandler(listener)
    assert find_secrets("\n".join(listener.lines)) == []
