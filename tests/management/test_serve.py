"""latchkey serve: start, stop, and errors that prevent the start."""

import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from latchkey.hashing.queue import MAX_CONCURRENT
from tests.people import Person
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

ON_SQLITE = not settings.DATABASE_URL


@pytest.fixture
def unstarted_server(tmp_path: Path) -> Server:
    """A server that is not started, always on SQLite."""
    return Server(tmp_path)


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_probes_and_stops_cleanly_on_a_signal(server: Server, stop_signal: signal.Signals) -> None:
    assert httpx.get(f"{server.url}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}
    assert len(server.worker_pids()) == 2
    assert server.stop(stop_signal) == 0
    assert "Latchkey has stopped." in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_serve_prints_the_urls_of_documentation_and_admin(server: Server) -> None:
    log = server.log.read_text()
    assert f"{server.url}/api-doc/" in log
    assert f"{server.url}/admin/" in log
    assert ADMIN_PASSWORD not in log


def test_serve_listens_on_ipv6_and_prints_a_valid_url(unstarted_server: Server) -> None:
    try:
        unstarted_server.host = "[::1]"
        unstarted_server.start()
        assert f"http://[::1]:{unstarted_server.port}/api-doc/" in unstarted_server.log.read_text()
    finally:
        unstarted_server.kill()


def test_serve_creates_its_secret_file_with_mode_0600(server: Server) -> None:
    secret = server.folder / "var" / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert len(secret.read_text()) >= 50


def test_serve_creates_the_superuser_of_the_environment_with_id_1(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, ADMIN_EMAIL, ADMIN_PASSWORD).login().me().json()["id"] == 1
        assert Person(http, "alice@example.com").register().id == 2


def test_serve_restarted_keeps_the_data_and_creates_no_second_superuser(server: Server) -> None:
    secret = (server.folder / "var" / "secret").read_text()
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login()
    server.stop()
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        alice.http = http
        assert alice.refresh().me().status_code == 200
    assert (server.folder / "var" / "secret").read_text() == secret
    assert server.shell("print(User.objects.count())") == "2"


def test_serve_without_an_admin_password_generates_one_and_prints_it_once(unstarted_server: Server) -> None:
    del unstarted_server.environment["LATCHKEY_ADMIN_EMAIL"], unstarted_server.environment["LATCHKEY_ADMIN_PASSWORD"]
    try:
        unstarted_server.start()
        (line,) = [line for line in unstarted_server.log.read_text().splitlines() if "admin password" in line]
        with httpx.Client(base_url=unstarted_server.url) as http:
            Person(http, "admin@example.com", line.split()[2]).login()
        unstarted_server.stop()
        unstarted_server.restart()
        assert unstarted_server.log.read_text().count("admin password") == 1
    finally:
        unstarted_server.kill()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"LATCHKEY_MODE": "staging"}, "LATCHKEY_MODE is 'staging'"),
        ({"LATCHKEY_MODE": "production"}, "LATCHKEY_SECRET_KEY is not set"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "mysql://root:hunter2@localhost/db"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/db"}, "The database cannot be used"),
        ({"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "The database cannot be used"),
        ({"DATABASE_URL": "sqlite:///empty.sqlite3"}, "run 'latchkey migrate' first"),
        ({"LATCHKEY_DATA_DIR": "/proc/latchkey"}, "The data directory /proc/latchkey cannot be created"),
        ({"LATCHKEY_TRUSTED_PROXIES": "all"}, "LATCHKEY_TRUSTED_PROXIES is 'all'"),
        ({"LATCHKEY_SIGNING_ALGORITHM": "none"}, "LATCHKEY_SIGNING_ALGORITHM is 'none'"),
        ({"LATCHKEY_SIGNING_ALGORITHM": "RSA1_5"}, "it must be 'HS256' or 'EdDSA' or 'ES256' or 'RS256'"),
        ({"LATCHKEY_BROWSABLE_API": "maybe"}, "LATCHKEY_BROWSABLE_API is 'maybe'"),
        ({"LATCHKEY_ADMIN_EMAIL": "admin"}, "LATCHKEY_ADMIN_EMAIL or LATCHKEY_ADMIN_PASSWORD cannot be used"),
        ({"LATCHKEY_ADMIN_PASSWORD": "short"}, "LATCHKEY_ADMIN_EMAIL or LATCHKEY_ADMIN_PASSWORD cannot be used"),
    ],
)
def test_serve_with_an_invalid_environment_prints_one_sentence_and_exits_with_2(
    unstarted_server: Server, environment: dict[str, str], sentence: str
) -> None:
    unstarted_server.environment |= environment
    done = unstarted_server.command("serve", "--port", str(unstarted_server.port))
    assert done.returncode == 2
    assert done.stderr.startswith("latchkey: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("option", ["--port=0", "--port=http", "--workers=0", "--threads=-1", "--colour=blue"])
def test_serve_with_an_invalid_option_exits_with_2(unstarted_server: Server, option: str) -> None:
    done = unstarted_server.command("serve", option)
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_default_threads_of_eight_workers_fit_100_postgresql_connections(unstarted_server: Server) -> None:
    help_text = " ".join(unstarted_server.command("serve", "--help").stdout.split())
    threads = re.search(r"request threads per worker, besides those that hash passwords \(default: (\d+)\)", help_text)
    assert threads
    assert 8 * (int(threads[1]) + MAX_CONCURRENT) < 100 - 3  # PostgreSQL keeps three for its superuser


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_serve_on_a_taken_port_exits_with_2(unstarted_server: Server, taken_port: int) -> None:
    done = unstarted_server.command("serve", "--port", str(taken_port))
    assert done.returncode == 2
    assert done.stderr == f"latchkey: Cannot listen on 127.0.0.1 port {taken_port}: Address already in use.\n"


def test_demo_command_creates_a_superuser_and_fails_in_production(unstarted_server: Server) -> None:
    assert unstarted_server.command("migrate", "--verbosity", "0").returncode == 0
    assert unstarted_server.command("demo").returncode == 0
    assert (
        unstarted_server.shell("print(User.objects.get(email='admin@amin.com').check_password('123Qwe123'))") == "True"
    )
    unstarted_server.environment |= {"LATCHKEY_MODE": "production", "LATCHKEY_SECRET_KEY": "x" * 50}
    done = unstarted_server.command("demo")
    assert done.returncode == 2
    assert "does not run in production" in done.stderr


def test_sqlite_database_is_created_in_a_data_directory_with_special_characters(unstarted_server: Server) -> None:
    unstarted_server.environment["LATCHKEY_DATA_DIR"] = str(unstarted_server.folder / "50%20off?")
    assert unstarted_server.command("migrate", "--verbosity", "0").returncode == 0
    assert (unstarted_server.folder / "50%20off?" / "latchkey.sqlite3").is_file()
