"""Latchkey in a minimal container: a uid without a passwd entry, no home, only the data directory writable."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.contracts import test_readme
from tests.people import Person
from tests.server import LATCHKEY, Server
from tests.support.postgres_servers import shared_directory

UNKNOWN_UID = 54_321
READ_ONLY = Path(__file__).with_name("read_only")
READ_ANYTHING = 1 << 2
"""The bit of CAP_DAC_READ_SEARCH, which is needed if the Python of the tests is in a folder of root."""


def unprivileged_command() -> list[str]:
    """Return a command prefix that runs a command as an unknown uid without capabilities."""
    if os.geteuid() != 0:
        return []  # the tests already run as an unprivileged user
    (held,) = re.findall(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    kept = "-all,+dac_read_search" if int(held, 16) & READ_ANYTHING else "-all"
    become = ["setpriv", f"--reuid={UNKNOWN_UID}", f"--regid={UNKNOWN_UID}", "--clear-groups", "--no-new-privs"]
    return [*become, f"--inh-caps={kept}", f"--ambient-caps={kept}"]


def wrapper_script(program: Path | str, folder: Path) -> str:
    """Write a script that runs the program as that user; return its path."""
    script = folder / "latchkey"
    script.write_text(f'#!/bin/sh\numask 077\nexec {shlex.join([*unprivileged_command(), str(program)])} "$@"\n')
    script.chmod(0o755)
    return str(script)


LOCALES = {
    "a plain C locale, a day ahead": {"LC_ALL": "C", "TZ": "Pacific/Kiritimati"},
    "ASCII and nothing else, no time zone database": {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "<+14>-14",
    },
}


@pytest.fixture
def unprivileged_server(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, not started, whose commands run as an unknown uid on a read-only file system with umask 077."""
    folder = shared_directory()
    monkeypatch.setattr("tests.server.LATCHKEY", wrapper_script(LATCHKEY, folder))
    server = Server(folder, database_url, HOME="/nonexistent", PYTHONPATH=str(READ_ONLY))
    (folder / "var").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder / "var", UNKNOWN_UID, UNKNOWN_UID)
    yield server
    if server.process:
        server.kill()


@pytest.mark.ledger("H-INF-18")
@pytest.mark.parametrize("machine", LOCALES.values(), ids=LOCALES)
def test_server_works_as_an_unknown_user_on_a_read_only_file_system(
    unprivileged_server: Server, machine: dict[str, str]
) -> None:
    unprivileged_server.environment |= machine
    unprivileged_server.start()
    test_readme.test_readme_exchanges_match_the_responses_of_a_live_server_byte_for_byte(unprivileged_server)
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in unprivileged_server.worker_pids()} != {0}
    with httpx.Client(base_url=unprivileged_server.url) as http:
        bob = Person(http, "bob@example.com").register().login().refresh()
        renamed = http.patch("/api/me/", json={"username": "Bjørn 李"}, headers=bob.bearer())
        assert (renamed.status_code, bob.me().json()["username"]) == (200, "Bjørn 李")
        assert http.get("/admin/login/").status_code == 200
    assert unprivileged_server.stop() == 0
    output = unprivileged_server.log.read_text(errors="replace")
    assert "Latchkey has stopped." in output
    assert "Error" not in output, output[-3000:]


@pytest.mark.ledger("H-INF-18")
def test_serve_names_a_data_directory_that_is_not_writable(unprivileged_server: Server) -> None:
    (unprivileged_server.folder / "var").rmdir()
    done = unprivileged_server.command("serve", "--port", str(unprivileged_server.port))
    assert done.returncode == 2
    assert done.stderr.startswith("latchkey: The data directory ")
    assert len(done.stderr.splitlines()) == 1
