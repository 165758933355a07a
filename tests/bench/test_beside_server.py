"""`python -m bench --beside FILE` against running servers: a real Latchkey, and a server that forks every session."""

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench import processes
from tests.server import Server

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = (ROOT / "bench/examples/latchkey.toml").read_text()
FORKING = """
[[server]]
name = "forks"
base_url = "http://127.0.0.1:PORT"
accounts = { emails = ["a@example.com", "b@example.com"] }
login = { method = "POST", path = "/login", json = { email = "{email}" } }
refresh = { method = "POST", path = "/refresh", headers = { Cookie = "refresh={refresh_token}" } }
me = { method = "GET", path = "/me", headers = { Authorization = "Bearer {access_token}" }, contains = "somebody" }
tokens = { access_token = "cookie:access", refresh_token = "cookie:refresh" }
process = { pids = [PID] }
"""


class ForkingServer(BaseHTTPRequestHandler):
    """Answers each refresh with new tokens in cookies, and keeps the old ones valid: every parallel refresh forks."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        for name in ("access", "refresh"):
            self.send_header("Set-Cookie", f"{name}={secrets.token_hex(8)}; Path=/; HttpOnly")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"somebody")

    def log_message(self, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def forking_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), ForkingServer) as served:
        threading.Thread(target=served.serve_forever).start()
        yield served.server_port
        served.shutdown()


def run_beside(tmp_path: Path, description: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run the benchmark with this file; return what it said, and its JSON."""
    path, output = tmp_path / "servers.toml", tmp_path / "results"
    path.write_text(description)
    command = [sys.executable, "-m", "bench", "--quick", "--beside", str(path), "--output", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    return done, json.loads((output / "beside.json").read_text())


def describe_latchkey(server: Server, database_url: str) -> str:
    text = EXAMPLE.replace(":8000", f":{server.port}") + "\n[server.accounts]\ncount = 6\n"
    return text + (f'[server.database]\nurl = "{database_url}"\n' if database_url else "")


def test_beside_measures_a_running_latchkey(server: Server, database_url: str, tmp_path: Path) -> None:
    server.raise_address_limits()
    done, results = run_beside(tmp_path, describe_latchkey(server, server.environment.get("DATABASE_URL", "")))
    assert done.returncode == 0, done.stderr
    found = results["systems"]["Latchkey"]
    assert set(found["endpoints"]) == {"refresh", "me", "login"}
    assert all(figures["cpu_us"] > 0 and figures["errors"] == 0 for figures in found["endpoints"].values())
    assert found["endpoints"]["login"]["cpu_us"] > found["endpoints"]["refresh"]["cpu_us"]
    wrong = {name: found["correctness"][name] for name in ("forks", "dead", "signed_out", "failed")}
    assert wrong == {"forks": 0, "dead": 0, "signed_out": 0, "failed": 0}
    refresh = found["endpoints"]["refresh"]
    if database_url:
        assert refresh["database_cpu_us"] > 0
        assert refresh["rows"] == 0
        assert 50 < refresh["wal"] / 1000 < 5_000  # bytes for a refresh
    else:
        assert not {"database_cpu_us", "rows", "wal"} & set(refresh)
    assert "| **refresh**, CPU µs |" in done.stdout
    assert "| forks | 0 of 5 |" in done.stdout


def test_beside_counts_the_forks_of_a_server_whose_old_tokens_stay_valid(forking_port: int, tmp_path: Path) -> None:
    text = FORKING.replace("PORT", str(forking_port)).replace("PID", str(os.getpid()))
    done, results = run_beside(tmp_path, text)
    assert done.returncode == 0, done.stderr
    found = results["systems"]["forks"]["correctness"]
    assert (found["rounds"], found["forks"], found["dead"], found["granted"]) == (5, 5, 0, 40)


def test_beside_says_why_a_server_was_not_measured_and_measures_the_others(forking_port: int, tmp_path: Path) -> None:
    right = FORKING.replace("PORT", str(forking_port)).replace("PID", str(os.getpid()))
    wrong = right.replace('"forks"', '"wrong"').replace("cookie:access", "access")
    done, results = run_beside(
        tmp_path, right + wrong + wrong.replace('"wrong"', '"gone"').replace(str(forking_port), "1")
    )
    assert done.returncode == 1
    assert results["failed"] == {
        "wrong": "accounts: BenchmarkError: tokens.access_token: an answer has no token at 'access'",
        "gone": "accounts: BenchmarkError: nothing answers at http://127.0.0.1:1",
    }
    assert results["systems"]["forks"]["endpoints"]["me"]["cpu_us"] > 0


def test_processes_of_a_server_are_found_by_its_port_and_by_its_process_group(server: Server) -> None:
    tree = set(processes.process_tree(server.pid))
    listeners = processes.topmost(processes.listening_processes(server.port))
    assert listeners
    assert set(listeners) <= tree
    assert set(processes.process_tree(server.pid)) <= set(processes.processes_of_group(server.pid))
    assert processes.topmost(processes.processes_of_group(server.pid)) == [server.pid]
