"""latchkey serve: its start, its stop, and what it says when it cannot."""

import re
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from latchkey.hashing.executor import MAX_CONCURRENT
from tests.people import Person
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server

ON_SQLITE = not settings.DATABASE_URL


@pytest.fixture
def stranger(tmp_path: Path) -> Server:
    """A server that has not been started: on SQLite, whatever the run is on."""
    return Server(tmp_path)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_stops_cleanly(server: Server, sign: signal.Signals) -> None:
    assert httpx.get(f"{server.url}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}
    assert len(server.worker_pids()) == 2
    assert server.stop(sign) == 0
    assert "Latchkey has stopped." in server.log.read_text()
    assert "Traceback" not in server.log.read_text()


def test_serve_says_where_to_look(server: Server) -> None:
    said = server.log.read_text()
    assert f"{server.url}/api-doc/" in said
    assert f"{server.url}/admin/" in said
    assert ADMIN_PASSWORD not in said


def test_serve_listens_on_ipv6_too_and_prints_an_address_that_can_be_clicked(stranger: Server) -> None:
    try:
        stranger.host = "[::1]"
        stranger.start()
        assert f"http://[::1]:{stranger.port}/api-doc/" in stranger.log.read_text()
    finally:
        stranger.kill()


def test_first_boot_keeps_its_secret_to_itself(server: Server) -> None:
    secret = server.folder / "var" / "secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(secret.parent.stat().st_mode) == 0o700
    assert len(secret.read_text()) >= 50


def test_the_superuser_of_the_environment_signs_in_and_the_first_to_register_is_user_1(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, ADMIN_EMAIL, ADMIN_PASSWORD).login().me().json()["id"] == 0
        assert Person(http, "alice@example.com").register().id == 1


def test_a_second_boot_keeps_the_data_and_makes_no_second_superuser(server: Server) -> None:
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


def test_without_an_environment_the_password_is_made_up_and_shown_once(stranger: Server) -> None:
    del stranger.environment["LATCHKEY_ADMIN_EMAIL"], stranger.environment["LATCHKEY_ADMIN_PASSWORD"]
    try:
        stranger.start()
        (line,) = [line for line in stranger.log.read_text().splitlines() if "admin password" in line]
        with httpx.Client(base_url=stranger.url) as http:
            Person(http, "admin@example.com", line.split()[2]).login()
        stranger.stop()
        stranger.restart()
        assert stranger.log.read_text().count("admin password") == 1
    finally:
        stranger.kill()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LATCHKEY_MODE": "staging"}, "LATCHKEY_MODE is 'staging'"),
        ({"LATCHKEY_MODE": "production"}, "LATCHKEY_SECRET_KEY is not set"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "mysql://root:hunter2@localhost/db"}, "DATABASE_URL cannot be read"),
        ({"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/db"}, "The database cannot be used"),
        ({"DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/"}, "DATABASE_URL names no database"),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "The database cannot be used"),
        ({"DATABASE_URL": "sqlite:///empty.sqlite3"}, "run 'latchkey migrate' first"),
        ({"LATCHKEY_DATA_DIR": "/proc/latchkey"}, "The data directory /proc/latchkey cannot be made"),
        ({"LATCHKEY_TRUSTED_PROXIES": "all"}, "LATCHKEY_TRUSTED_PROXIES is 'all'"),
        ({"LATCHKEY_SIGNING_ALGORITHM": "none"}, "LATCHKEY_SIGNING_ALGORITHM is 'none'"),
        ({"LATCHKEY_SIGNING_ALGORITHM": "RSA1_5"}, "it must be 'HS256' or 'EdDSA' or 'ES256' or 'RS256'"),
        ({"LATCHKEY_BROWSABLE_API": "maybe"}, "LATCHKEY_BROWSABLE_API is 'maybe'"),
        ({"LATCHKEY_ADMIN_EMAIL": "admin"}, "LATCHKEY_ADMIN_EMAIL or LATCHKEY_ADMIN_PASSWORD cannot be used"),
        ({"LATCHKEY_ADMIN_PASSWORD": "short"}, "LATCHKEY_ADMIN_EMAIL or LATCHKEY_ADMIN_PASSWORD cannot be used"),
    ],
)
def test_serve_refuses_what_it_cannot_use(stranger: Server, environment: dict[str, str], said: str) -> None:
    stranger.environment |= environment
    done = stranger.command("serve", "--port", str(stranger.port))
    assert done.returncode == 2
    assert done.stderr.startswith("latchkey: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("option", ["--port=0", "--port=http", "--workers=0", "--threads=-1", "--colour=blue"])
def test_serve_refuses_a_wrong_option(stranger: Server, option: str) -> None:
    done = stranger.command("serve", option)
    assert done.returncode == 2
    assert option.partition("=")[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_by_default_eight_workers_leave_room_among_the_hundred_connections_of_postgresql(stranger: Server) -> None:
    said = " ".join(stranger.command("serve", "--help").stdout.split())
    threads = re.search(r"threads in each, besides those that hash passwords \(default: (\d+)\)", said)
    assert threads
    assert 8 * (int(threads[1]) + MAX_CONCURRENT) < 100 - 3  # PostgreSQL keeps three for its superuser


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_serve_refuses_a_taken_port(stranger: Server, taken_port: int) -> None:
    done = stranger.command("serve", "--port", str(taken_port))
    assert done.returncode == 2
    assert done.stderr == f"latchkey: Cannot listen on 127.0.0.1 port {taken_port}: Address already in use.\n"


def test_the_demo_superuser_signs_in_and_is_refused_in_production(stranger: Server) -> None:
    assert stranger.command("migrate", "--verbosity", "0").returncode == 0
    assert stranger.command("demo").returncode == 0
    assert stranger.shell("print(User.objects.get(email='admin@amin.com').check_password('123Qwe123'))") == "True"
    stranger.environment |= {"LATCHKEY_MODE": "production", "LATCHKEY_SECRET_KEY": "x" * 50}
    done = stranger.command("demo")
    assert done.returncode == 2
    assert "does not run in production" in done.stderr


def test_the_database_lies_in_the_data_directory_whatever_that_is_called(stranger: Server) -> None:
    stranger.environment["LATCHKEY_DATA_DIR"] = str(stranger.folder / "50%20off?")
    assert stranger.command("migrate", "--verbosity", "0").returncode == 0
    assert (stranger.folder / "50%20off?" / "latchkey.sqlite3").is_file()
