"""Restore from an old backup, as docs/operations.md has it: what was ended comes back, and one command ends it."""

from pathlib import Path

import httpx
import pytest

from tests.operations.backups import back_up, restore
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.server import Server


@pytest.mark.ledger("H-INF-17")
def test_what_a_backup_brings_back_is_ended_by_one_command(server: Server) -> None:
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
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Every session has ended of 3 users.")
        for person in (alice, bob):
            assert_problem(person.me(), 401, "invalid_token")
            assert_problem(person.try_refresh(), 401, "invalid_refresh_token")
        assert alice.login().refresh().me().status_code == 200
        assert bob.password == PASSWORD  # the old one is back too, which the page tells operators
        assert bob.login().me().status_code == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--user", "nobody@example.com"], "latchkey: There is no user with the e-mail address 'nobody@example.com'."),
        ([], "latchkey: No session was ended; answer 'yes', or give --yes."),
        (["--everybody"], "latchkey end_sessions: error: unrecognized arguments: --everybody"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_one_sentence(
    tmp_path: Path, database_url: str, arguments: list[str], said: str
) -> None:
    database = Server(tmp_path, database_url)
    assert database.command("migrate", "--verbosity", "0").returncode == 0
    done = database.command("end_sessions", *arguments, stdin="no\n")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == said
    assert "Traceback" not in done.stderr
