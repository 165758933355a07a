"""Runs the code blocks of a page of docs/recipes unchanged, except for the lines that are marked CHANGE."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.recipes.bearer_checks import CLIENT_ID
from tests.server import Server

RECIPES = Path(__file__).parents[2] / "docs" / "recipes"


def code_blocks(page: str, language: str) -> list[str]:
    """Return the code blocks in this language."""
    found, inside, lines = [], False, (RECIPES / page).read_text().splitlines(keepends=True)
    for line in lines:
        if line.startswith("```"):
            inside = line.strip() == f"```{language}"
            if inside:
                found.append("")
        elif inside:
            found[-1] += line
    assert found, f"{page} has no {language}"
    return found


def apply_changes(text: str, changes: Mapping[str, str]) -> str:
    """Apply the changes of a reader to lines that are marked CHANGE."""
    lines = text.splitlines(keepends=True)
    for old, new in changes.items():
        places = [number for number, line in enumerate(lines) if old in line and "CHANGE" in line]
        assert places, old
        for number in places:
            lines[number] = lines[number].replace(old, new)
    return "".join(lines)


def add_credential(server: Server) -> dict[str, str]:
    """Add a client credential as the page says; return the environment of the service."""
    added = server.command("services", "add", CLIENT_ID)
    assert added.returncode == 0, added.stderr
    secret = added.stdout.split()[-1]
    return {"LATCHKEY_URL": server.url, "LATCHKEY_CLIENT_ID": CLIENT_ID, "LATCHKEY_CLIENT_SECRET": secret}


@contextmanager
def run_program(command: list[str], folder: Path, port: int, **environment: str) -> Iterator[str]:
    """Run a program that listens on the port, as a context manager; its output goes to the folder."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    log, url = folder / "output.log", f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=inherited | environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while not _is_up(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _is_up(url: str) -> bool:
    try:
        httpx.get(url, timeout=5)
    except httpx.TransportError:
        return False
    return True
