"""The README's transcript, replayed against a live server: the answers must be those, byte for byte.

Tokens differ in every run, so a token of the README stands for the one that the live server answered in its place.
"""

import re
import shlex
from pathlib import Path
from string import Template

import httpx

from tests.server import Server

README = Path(__file__).resolve().parents[2] / "README.md"
TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COMMAND = re.compile(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n([^$]*)", re.MULTILINE)


def send(curl: list[str], base_url: str) -> str:
    """Do what curl does with these words: the test must run where there is no curl."""
    url = base_url + curl[1].removeprefix("http://127.0.0.1:8000")
    method, headers, body = "", {}, None
    for option, value in zip(curl[2::2], curl[3::2], strict=True):
        if option == "-X":
            method = value
        elif option == "-H":
            name, _, text = value.partition(": ")
            headers[name] = text
        else:
            assert option == "-d"
            body = value
    answer = httpx.request(method or ("POST" if body else "GET"), url, headers=headers, content=body)
    return answer.text


def test_the_readme_shows_what_a_live_server_answers(server: Server) -> None:
    (transcript,) = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    documented = COMMAND.findall(transcript)
    assert [command.split()[0] for command, _ in documented].count("curl") == 6
    live: dict[str, str] = {}
    variables: dict[str, str] = {}

    def alive(documented_token: re.Match[str]) -> str:
        return live[documented_token[0]]

    for command, printed in documented:
        words = shlex.split(TOKEN.sub(alive, command.replace("\\\n", "")))
        if words[0] != "curl":
            variables |= dict(word.split("=", 1) for word in words)
            continue
        answer = send([Template(word).substitute(variables) for word in words], server.url)
        assert TOKEN.sub("TOKEN", answer) == TOKEN.sub("TOKEN", printed.strip())
        live |= dict(zip(TOKEN.findall(printed), TOKEN.findall(answer), strict=True))
