"""Search for secrets in logs: the log of every test and of every server is searched."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from latchkey.core.typed_codes import ALPHABET
from tests.people import PASSWORD

UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
PUBLIC_ID_PATTERN = re.compile(
    rf"""(?:request_id['"]?[=:] ?['"]?{UUID}|key_id['"]?[=:] ?['"]?[\w-]{{43}}\b)""", re.IGNORECASE
)
"""Request ids are UUIDs, and a key id (a random thumbprint) may begin like a JWT: both are removed before searching."""
TICKET = r"(?<![\w-])[\w-]{43}(?![\w-])"
APP_SECRET = r"(?<![\w-])(?-i:[A-Z2-7]{32})(?![\w-])|otpauth:"
RECOVERY_CODE = rf"(?<![\w-])(?-i:[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}})(?![\w-])"
API_KEY = r"(?-i:latchkey_[pa][0-9A-Za-z]{55})"
SECRET_PATTERN = re.compile(
    rf"{API_KEY}|\beyJ[\w-]{{8,}}|\b{UUID}\b|{PASSWORD}|\btoken=[\w-]+|{TICKET}|{APP_SECRET}|{RECOVERY_CODE}",
    re.IGNORECASE,
)
"""An API key, a JWT, a UUID, the password of the tests, the token of a link, a ticket, the secret of an authenticator
app in base32 or as a URI, a recovery code. Codes of six digits are not searched for: numbers of six digits are
everywhere."""


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
    """Record the log of this process, and assert that it contains no secret."""
    listener, root = _RecordingHandler(), logging.getLogger()
    root.addHandler(listener)
    try:
        yield
    finally:
        root.removeHandler(listener)
    assert find_secrets("\n".join(listener.lines)) == []
