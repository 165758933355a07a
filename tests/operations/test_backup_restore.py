"""Restore of an old backup as in docs/operations.md: `latchkey end_sessions` ends the sessions it brought back."""

from pathlib import Path

import httpx
import pytest

from tests.operations.backups import attempt, back_up, restore
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.server import Server


@pytest.mark.ledger("H-INF-17")
def test_end_sessions_ends_the_sessions_that_a_restored_backup_brought_back(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice, bob = (Person(http, f"{name}@example.com").register().login() for name in ("alice", "bob"))
        back_up(server)
        alice.logout()
        server.shell("user = User.objects.get(email='bob@example.com'); user.set_password('a newer one'); user.save()")
        assert [alice.try_refresh().status_code, bob.try_refresh().status_code] == [401, 401]
    server.stop()
    restore(server)
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        alice.http = bob.http = http
        assert alice.refresh().me().status_code == 200, "the backup was not restored"
        assert bob.refresh().me().status_code == 200
        done = server.command("end_sessions", "--yes")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Ended all sessions of 3 users.")
        for person in (alice, bob):
            assert_problem(person.me(), 401, "invalid_token")
            assert_problem(person.try_refresh(), 401, "invalid_refresh_token")
        assert alice.login().refresh().me().status_code == 200
        assert bob.password == PASSWORD  # the backup brings the old password back too, as the page warns
        assert bob.login().me().status_code == 200


def test_backup_that_fails_leaves_the_one_before_it_and_no_empty_file(server: Server) -> None:
    back_up(server)
    backup = server.folder / "latchkey.backup"
    before = backup.read_bytes()
    assert before
    back_up(server)  # a second one replaces it
    working = server.environment.copy()
    if "DATABASE_URL" in working:
        server.environment["DATABASE_URL"] += "_away"
        command = "pg_dump"
    else:
        server.stop()
        (server.folder / "var" / "latchkey.sqlite3").rename(server.folder / "var" / "away")
        command = "rm -f new.backup;"
    before = backup.read_bytes()
    assert attempt(server, command).returncode != 0
    assert backup.read_bytes() == before
    assert not (server.folder / "new.backup").exists()
    assert not (server.folder / "var" / "latchkey.sqlite3").exists() or "DATABASE_URL" in working
    server.environment = working


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--user", "nobody@example.com"], "latchkey: There is no user with the e-mail address 'nobody@example.com'."),
        ([], "latchkey: No session was ended; answer 'yes', or give --yes."),
        (
            ["--everybody"],
            (
                "latchkey end_sessions: unrecognized arguments: --everybody; "
                "'latchkey end_sessions --help' lists the options."
            ),
        ),
    ],
)
def test_end_sessions_command_reports_usage_errors_in_one_sentence_with_exit_code_2(
    tmp_path: Path, database_url: str, arguments: list[str], error: str
) -> None:
    database = Server(tmp_path, database_url)
    assert database.command("migrate", "--verbosity", "0").returncode == 0
    done = database.command("end_sessions", *arguments, stdin="no\n")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == error
    assert "Traceback" not in done.stderr
