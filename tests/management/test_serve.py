"""latchkey serve: start, stop, and errors that prevent the start."""

import re
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import jwt
import pytest
from django.conf import settings

from latchkey.hashing.queue import MAX_CONCURRENT
from tests.people import Person
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from tests.support.production import HOST, PUBLIC_URL, SECRET, production_server
from tests.support.smtp_server import SmtpServer

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


@contextmanager
def closing_smtp_server() -> Iterator[SmtpServer]:
    """Run a mail server."""
    smtp = SmtpServer().start()
    try:
        yield smtp
    finally:
        smtp.stop()


@pytest.fixture
def own_url(unstarted_server: Server) -> Iterator[Server]:
    """A server whose public URL is not set, and which is not started."""
    del unstarted_server.environment["LATCHKEY_PUBLIC_URL"]
    yield unstarted_server
    if unstarted_server.process:
        unstarted_server.kill()


def test_serve_prints_the_urls_of_documentation_and_admin(own_url: Server) -> None:
    own_url.start()
    log = own_url.log.read_text()
    assert f"Latchkey is running at {own_url.url}/\n" in log
    assert f"{own_url.url}/api-doc/" in log
    assert f"{own_url.url}/admin/" in log
    assert "listening on" not in log
    assert ADMIN_PASSWORD not in log


@pytest.mark.parametrize(
    ("host", "reached"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("0.0.0.0", "127.0.0.1")]
)
def test_public_url_follows_host_and_port_in_development(own_url: Server, host: str, reached: str) -> None:
    with closing_smtp_server() as smtp:
        own_url.environment["EMAIL_URL"] = smtp.url
        own_url.host = host
        own_url.start()
        url = f"http://{reached}:{own_url.port}"
        with httpx.Client(base_url=url) as http:
            bob = Person(http, "bob@example.com").register().login()
            assert jwt.decode(bob.access_token, options={"verify_signature": False})["iss"] == url
            assert http.get("/.well-known/openid-configuration").json()["issuer"] == url
            assert http.post("/api/password/reset/", json={"email": bob.email}).status_code == 202
            mails = smtp.wait_for(1)
        assert any(f"{url}/reset-password/?token=" in str(mail.get_body(["plain"])) for mail in mails)
        assert f"Latchkey is running at {url}/\n" in own_url.log.read_text()


def test_serve_prints_the_public_url_and_where_it_listens_behind_a_proxy(tmp_path: Path) -> None:
    server = production_server(tmp_path).start()
    try:
        log = server.log.read_text()
        assert f"Latchkey is running at {PUBLIC_URL}/\n  listening on    {server.url}\n" in log
        assert log.count(server.url) == 1
    finally:
        server.kill()


def test_misspelt_variables_are_named_at_the_start(own_url: Server) -> None:
    own_url.environment |= {"LATCHKEY_ALOWED_HOSTS": "x", "LATCHKEY_RETRY_WINDOW": "1"}
    own_url.start()
    log = own_url.log.read_text()
    assert "variable LATCHKEY_ALOWED_HOSTS is unknown and has no effect. Did you mean LATCHKEY_ALLOWED_HOSTS?" in log
    assert "variable LATCHKEY_RETRY_WINDOW is unknown and has no effect. It is a runtime setting; " in log
    assert "LATCHKEY_ALOWED_HOSTS" in own_url.command("check").stderr


def test_secrets_of_production_are_read_from_files(tmp_path: Path) -> None:
    server = production_server(tmp_path)
    for name in ("LATCHKEY_SECRET_KEY", "LATCHKEY_SECRET_KEY_FALLBACKS", "LATCHKEY_ADMIN_PASSWORD", "EMAIL_URL"):
        (tmp_path / name).write_text(server.environment.pop(name) + "\n")
        server.environment[f"{name}_FILE"] = str(tmp_path / name)
    (tmp_path / "DATABASE_URL").write_text(f"sqlite:///{tmp_path}/other.sqlite3\n")
    server.environment["DATABASE_URL_FILE"] = str(tmp_path / "DATABASE_URL")
    assert server.command("migrate").returncode == 0
    try:
        server.start()
        headers = {"Host": HOST}
        login = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        assert httpx.post(f"{server.url}/api/login/", json=login, headers=headers).status_code == 200
        assert (tmp_path / "other.sqlite3").exists()
    finally:
        server.kill()
    server.environment["LATCHKEY_SECRET_KEY"] = SECRET
    done = server.command("serve")
    assert (done.returncode, done.stderr) == (
        2,
        "latchkey: LATCHKEY_SECRET_KEY and LATCHKEY_SECRET_KEY_FILE are both set; remove one of them.\n",
    )


@pytest.mark.parametrize(("level", "shown"), [("info", True), ("warning", False), ("error", False)])
def test_log_level_decides_which_lines_are_written(own_url: Server, level: str, shown: bool) -> None:
    own_url.environment |= {"LATCHKEY_LOG_LEVEL": level}
    own_url.start()
    with httpx.Client(base_url=own_url.url) as http:
        Person(http, "bob@example.com").register()
        http.get("/nothing")
    log = own_url.log.read_text()
    assert ("user.registered" in log) == shown
    assert ("request_finished" in log) == (level != "error")


@pytest.mark.parametrize(("level", "lines"), [("debug", 1), ("info", 0)])
def test_log_level_debug_has_a_line_for_each_request_in_development(own_url: Server, level: str, lines: int) -> None:
    own_url.environment |= {"LATCHKEY_LOG_LEVEL": level}
    own_url.start()
    httpx.get(f"{own_url.url}/api/")
    log = own_url.log.read_text()
    assert log.count("request='GET /api/'") == lines
    assert "django" not in log


def test_unknown_log_level_exits_with_2(own_url: Server) -> None:
    own_url.environment |= {"LATCHKEY_LOG_LEVEL": "verbose"}
    done = own_url.command("serve")
    assert done.returncode == 2
    assert done.stderr.startswith("latchkey: LATCHKEY_LOG_LEVEL is 'verbose'; it must be 'info' or 'debug'")


def test_serve_listens_on_ipv6_and_prints_a_valid_url(unstarted_server: Server) -> None:
    try:
        del unstarted_server.environment["LATCHKEY_PUBLIC_URL"]
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
