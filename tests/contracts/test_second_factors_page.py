"""The transcripts of docs/second-factors.md, replayed against a live server: the responses match byte for byte.

Tickets, secrets and codes differ in every run, so each stands for the one that the live server answered in its place.
"""

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

from latchkey.core import clock
from tests.contracts.test_readme import COMMAND, TOKEN, send
from tests.factors.apps import code_at
from tests.server import Server

PAGE = Path(__file__).resolve().parents[2] / "docs" / "second-factors.md"
VARIABLE = {
    "SVG": re.compile(r"<svg.*?</svg>"),
    "TOKEN": TOKEN,
    "TICKET": re.compile(r"(?<=\"ticket\": \")[\w-]{43}"),
    "SECRET": re.compile(r"(?<![A-Z2-7])[A-Z2-7]{32}(?![A-Z2-7])"),
    "RECOVERY_CODE": re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}"),
    "TIME": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
}


def mask(text: str) -> str:
    """Replace what differs in every run by its kind."""
    for kind, pattern in VARIABLE.items():
        text = pattern.sub(kind, text)
    return text.strip()


class Reader:
    """Somebody who types the commands, and takes what they need out of the answers before them."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.known: dict[str, str] = {}
        self.codes = 0

    def run(self, command: str) -> str:
        if "$CODE" in command:  # each code works once: that of the present time step, then the one after it
            self.known["CODE"] = code_at(self.known["SECRET"], clock.now(), self.codes)
            self.codes += 1
        words = [Template(word).substitute(self.known) for word in shlex.split(command.replace("\\\n", ""))]
        answer = send(words, self.base_url)
        self.remember(json.loads(answer))
        return answer

    def remember(self, answer: dict[str, Any]) -> None:
        for name, member in {"ACCESS": "access_token", "TICKET": "ticket", "SECRET": "secret"}.items():
            self.known[name] = answer.get(member, self.known.get(name, ""))
        codes = answer.get("recovery_codes")
        if isinstance(codes, list):  # elsewhere it is their number
            self.known["RECOVERY_CODE"] = codes[0]


def commands() -> list[tuple[str, str]]:
    """Return the commands of the page, each with what it prints."""
    return COMMAND.findall("\n".join(re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)))


def test_second_factors_page_transcripts_match_the_responses_of_a_live_server(server: Server) -> None:
    reader = Reader(server.url)
    transcript = commands()
    assert len(transcript) == 9
    for command, printed in transcript:
        assert mask(reader.run(command)) == mask(printed), command
