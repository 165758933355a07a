"""The transcripts of docs/accounts.md, replayed against a live server: the responses match byte for byte."""

import json
import re
import shlex
from pathlib import Path
from string import Template

from tests.contracts.test_readme import COMMAND, TOKEN, send
from tests.server import Server

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "accounts.md"
LAST_MAIL = """
from tests.outbox import last_code_mail
print(last_code_mail().token, last_code_mail().code)
"""


def test_accounts_page_transcripts_match_the_responses_of_a_live_server(server: Server) -> None:
    server.environment["PYTHONPATH"] = str(ROOT)
    commands = COMMAND.findall("\n".join(re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)))
    assert len(commands) == 12
    known: dict[str, str] = {}
    for command, printed in commands:
        if "$TOKEN" in command or "$CODE" in command:
            known["TOKEN"], known["CODE"] = server.shell(LAST_MAIL).split()[-2:]
        words = [Template(word).substitute(known) for word in shlex.split(command.replace("\\\n", ""))]
        answer = send(words, server.url)
        assert TOKEN.sub("TOKEN", answer) == TOKEN.sub("TOKEN", printed.strip()), command
        known["ACCESS"] = json.loads(answer).get("access_token") or known.get("ACCESS", "")


def test_accounts_page_lists_every_value_of_the_email_verification_setting() -> None:
    from latchkey.conf.policy import Policy

    choices = Policy.__dataclass_fields__["email_verification"].metadata["choices"]
    rows = re.findall(r"^\| `(\w+)` \| 20", PAGE.read_text(), re.MULTILINE)
    assert tuple(rows) == choices
