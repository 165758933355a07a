"""The README's six requests: pasted into bash, and sent one by one, against a live server.

Tokens differ in every run, so a token of the README stands for the one that the live server answered in its place.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests.server import Server

README = Path(__file__).resolve().parents[2] / "README.md"
TOKEN = re.compile(r"eyJ(?:\.\.\.|[\w-]+\.[\w-]+\.[\w-]+)|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COMMAND = re.compile(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n([^$]*)", re.MULTILINE)
"""A command and its output in a transcript, as in docs/accounts.md."""
EXCHANGE = re.compile(r"^([A-Z]+) (/\S+) +(?:Authorization: (\S+ \S+))? *(\{.*\})?\n(\d+) +(\{.*\})$", re.MULTILINE)
"""A request and its answer: method, path, Authorization, body; status, body."""


def block(language: str) -> str:
    """Return the README's one code block in this language."""
    (text,) = re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    return str(text)


def send(curl: list[str], base_url: str) -> str:
    """Send the request of these curl arguments, so that the test runs without curl."""
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


def test_readme_exchanges_match_the_responses_of_a_live_server_byte_for_byte(server: Server) -> None:
    exchanges = EXCHANGE.findall(block("http"))
    paths = ["/api/register/", "/api/login/", "/api/me/", "/api/me/", "/api/refresh/", "/api/logout/"]
    assert [path for _, path, *_ in exchanges] == paths
    live: dict[str, str] = {}

    def live_token(documented_token: re.Match[str]) -> str:
        return live[documented_token[0]]

    for method, path, authorization, body, status, printed in exchanges:
        headers = {"Authorization": TOKEN.sub(live_token, authorization)} if authorization else {}
        headers |= {"Content-Type": "application/json"} if body else {}
        content = TOKEN.sub(live_token, body) or None
        answer = httpx.request(method, server.url + path, headers=headers, content=content)
        assert answer.status_code == int(status)
        assert TOKEN.sub("TOKEN", answer.text) == TOKEN.sub("TOKEN", printed)
        live |= dict(zip(TOKEN.findall(printed), TOKEN.findall(answer.text), strict=True))


def paste(text: str, folder: Path) -> list[str]:
    """Return the lines that bash prints for a pasted text; tests/contracts/curl.py stands in where curl is missing."""
    program = folder / "bin" / "curl"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{os.environ['PATH']}{os.pathsep}{program.parent}", "HOME": str(folder)}
    bash = ["bash", "--norc", "--noprofile"]
    done = subprocess.run(
        bash, input=text, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_readme_bash_block_can_be_pasted_twice_and_prints_the_documented_responses(
    server: Server, tmp_path: Path
) -> None:
    text = block("bash")
    assert "http://127.0.0.1:8000/" in text
    documented = [printed for *_, printed in EXCHANGE.findall(block("http"))]
    for user_id in (2, 3):
        printed = paste(text.replace("http://127.0.0.1:8000", server.url), tmp_path)
        printed = [re.sub(r"user\d+@", "user@", TOKEN.sub("TOKEN", line)) for line in printed]
        assert printed == [TOKEN.sub("TOKEN", line).replace('"id": 2', f'"id": {user_id}') for line in documented]
