"""The PostgreSQL roles of docs/operations.md: the service role may read and write rows, but not change the schema."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.operations.backups import back_up, restore
from tests.people import Person
from tests.postgres import Postgres
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from tests.support.postgres_roles import OWNER, SERVICE, postgres_with_roles, role_statements, role_url
from tests.support.postgres_servers import shared_directory, stop_afterwards

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "roles.sh"
FORBIDDEN = [
    "CREATE TABLE mallory (id int)",
    "CREATE SCHEMA mallory",
    "CREATE DATABASE mallory",
    "CREATE ROLE mallory",
    "DROP TABLE latchkey_session",
    "TRUNCATE latchkey_session",
    "ALTER TABLE latchkey_user ADD COLUMN mallory int",
    "ALTER TABLE latchkey_session DISABLE TRIGGER ALL",
    "CREATE INDEX ON latchkey_user (username)",
    "ALTER TABLE latchkey_user OWNER TO latchkey",
    "COPY latchkey_user TO PROGRAM 'cat'",
    "ALTER SYSTEM SET log_statement = 'all'",
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with postgres_with_roles() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that migrates as the owner role and serves as the service role."""
    server = Server(tmp_path_factory.mktemp("roles"), role_url(OWNER, postgres.port))
    migrated = server.command("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr
    server.environment["DATABASE_URL"] = role_url(SERVICE, postgres.port)
    yield server.restart()
    server.kill()


def test_roles_script_creates_the_documented_roles() -> None:
    postgres = Postgres(shared_directory()).create()
    with stop_afterwards(postgres.start()):
        at = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PATH": f"{postgres.bin_dir}:{os.environ['PATH']}"}
        secrets = {"OWNER_PASSWORD": "o'wner", "SERVICE_PASSWORD": "s$ervice"}
        subprocess.run([str(SCRIPT)], env=at | secrets, check=True, timeout=30)
        for role in (OWNER, SERVICE):
            with psycopg.connect(role_url(role, postgres.port, "x"), autocommit=True) as connection:
                assert connection.execute("SELECT has_schema_privilege('public', 'CREATE')").fetchone() == (
                    role == OWNER,
                )


def test_roles_script_shows_no_password_in_arguments_or_in_the_log_and_runs_again(tmp_path: Path) -> None:
    postgres = Postgres(shared_directory()).create()
    psql = tmp_path / "psql"  # notes its arguments, and goes on as the real one
    psql.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {postgres.bin_dir}/psql "$@"\n')
    psql.chmod(0o700)
    with stop_afterwards(postgres.start()):
        for name, value in {
            "log_statement": "all",
            "log_min_messages": "info",
            "log_min_error_statement": "info",
        }.items():
            postgres.sql(f"ALTER ROLE postgres SET {name} = '{value}'")
        postgres.sql("SELECT 'this is logged'")
        at = {"PGHOST": "127.0.0.1", "PGPORT": str(postgres.port), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        for number in (1, 2):
            secrets = {"OWNER_PASSWORD": f"ow'ner{number}", "SERVICE_PASSWORD": f"ser$vice{number}"}
            done = subprocess.run([str(SCRIPT)], env=at | secrets, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
    arguments, log = (tmp_path / "arguments").read_text(), (postgres.folder / "log").read_text()
    assert "--quiet" in arguments
    assert "this is logged" in log
    for secret in ("ner1", "ner2", "vice1", "vice2"):
        assert secret not in arguments + log


@pytest.mark.ledger("ASVS-13.2.1", "ASVS-13.2.2")
def test_service_role_has_the_privileges_that_api_and_commands_need(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login().refresh()
        assert http.patch("/api/me/", json={"username": "A"}, headers=alice.bearer()).status_code == 200
        assert alice.try_refresh(alice.spent[0]).status_code in (200, 401)
        assert alice.logout().status_code == 200
        assert http.post("/api/login/", json={"email": alice.email, "password": "wrong"}).status_code == 401
        assert http.get("/readyz").status_code == 200
        boss = Person(http, ADMIN_EMAIL, ADMIN_PASSWORD).login()
        assert boss.me().status_code == 200
    setting = ["constance", "set", "RETRY_WINDOW", "5"]
    for command in (["prune"], ["mail", "list"], ["end_sessions", "--yes"], setting, ["clearsessions"]):
        done = server.command(*command)
        assert done.returncode == 0, (command, done.stderr)


def test_service_role_imports_users_but_only_the_owner_role_can_keep_their_ids(
    postgres: Postgres, server: Server
) -> None:
    (server.folder / "users.csv").write_text("id,email\n1000,dave@example.com\n")
    for command in (["users", "export", "all.csv"], ["users", "import", "all.csv"]):
        done = server.command(*command)
        assert done.returncode == 0, (command, done.stderr)
    refused = server.command("users", "import", "users.csv", "--keep-ids")
    assert refused.returncode == 2
    assert refused.stderr.startswith("latchkey: --keep-ids sets the sequence of ids, which only the owner")
    server.environment["DATABASE_URL"] = role_url(OWNER, postgres.port)
    done = server.command("users", "import", "users.csv", "--keep-ids")
    server.environment["DATABASE_URL"] = role_url(SERVICE, postgres.port)
    assert done.returncode == 0, done.stderr
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, "erin@example.com").register().id == 1001


@pytest.mark.ledger("ASVS-13.2.2")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_service_role_cannot_change_schema_or_server(postgres: Postgres, server: Server, statement: str) -> None:
    with psycopg.connect(role_url(SERVICE, postgres.port), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM latchkey_user").fetchone()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.ledger("ASVS-13.2.1")
@pytest.mark.parametrize("password", ["wrong", "OWNER-PASSWORD"])
def test_serve_refuses_to_start_with_a_wrong_database_password(
    postgres: Postgres, server: Server, tmp_path: Path, password: str
) -> None:
    assert httpx.get(f"{server.url}/readyz").status_code == 200
    other_server = Server(tmp_path, role_url(SERVICE, postgres.port, password))
    done = other_server.command("serve", "--port", str(other_server.port))
    assert done.returncode == 2
    assert "password authentication failed" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert password not in done.stderr


def test_documented_database_passwords_are_placeholders() -> None:
    assert [line for line in role_statements() if "PASSWORD '" in line] == [
        f"CREATE ROLE {OWNER} LOGIN PASSWORD 'OWNER-PASSWORD';",
        f"CREATE ROLE {SERVICE} LOGIN PASSWORD 'SERVICE-PASSWORD';",
    ]


def test_documented_backup_works_as_the_service_role_and_its_restore_as_the_owner(tmp_path: Path) -> None:
    with postgres_with_roles() as postgres:
        back_up_and_restore(postgres, tmp_path)


def back_up_and_restore(postgres: Postgres, folder: Path) -> None:
    server = Server(folder, role_url(OWNER, postgres.port))
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    server.environment["DATABASE_URL"] = role_url(SERVICE, postgres.port)
    try:
        server.restart()
        with httpx.Client(base_url=server.url) as http:
            carol = Person(http, "carol@example.com").register().login()
            back_up(server)
            Person(http, "dave@example.com").register()
        server.stop()
        server.environment["DATABASE_URL"] = role_url(OWNER, postgres.port)
        restore(server)
        server.environment["DATABASE_URL"] = role_url(SERVICE, postgres.port)
        server.restart()
        with httpx.Client(base_url=server.url) as http:
            carol.http = http
            assert carol.refresh().me().status_code == 200
            login = {"email": "dave@example.com", "password": carol.password}
            assert http.post("/api/login/", json=login).status_code == 401
            Person(http, "erin@example.com").register().login()
    finally:
        server.kill()
