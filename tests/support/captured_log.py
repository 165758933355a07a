"""The captured log of a test."""

import json
from io import StringIO
from typing import Any


class CapturedLog:
    """JSON lines, as production writes them to standard output."""

    def __init__(self, stream: StringIO) -> None:
        self.stream = stream

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """Return the decoded lines, or those of one event."""
        decoded = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in decoded if event in ("", line["event"])]
