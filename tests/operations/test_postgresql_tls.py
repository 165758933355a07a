"""DATABASE_URL with sslmode=verify-full: the password and the rows go to the right server, encrypted, or nowhere."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.operations.certificates import Authority
from tests.operations.roles import OWNER, url, with_roles
from tests.operations.tls_front import Front
from tests.people import Person
from tests.postgres import Postgres
from tests.problems import assert_problem
from tests.server import Server

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with with_roles() as postgres:
        yield postgres


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "ours")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"), "mallory")


@pytest.fixture
def front(postgres: Postgres, ours: Authority) -> Iterator[Front]:
    with Front(postgres.port, ours.identity(HERE)) as front:
        yield front


@pytest.fixture
def verifying(ours: Authority, tmp_path: Path) -> Iterator[Callable[[int], Server]]:
    """Return a server, not started, that trusts our authority alone: verifying(port)."""
    made: list[Server] = []

    def make(port: int) -> Server:
        made.append(Server(tmp_path, url(OWNER, port, options=f"?sslmode=verify-full&sslrootcert={ours.file}")))
        return made[-1]

    yield make
    for server in made:
        if server.process:
            server.kill()


@pytest.mark.ledger("ASVS-12.3.1")
def test_a_verified_server_is_worked_with_over_tls_alone(front: Front, verifying: Callable[[int], Server]) -> None:
    server = verifying(front.port).start()
    with httpx.Client(base_url=server.url) as http:
        assert http.get("/readyz").status_code == 200
        assert Person(http, "alice@example.com").register().login().refresh().me().status_code == 200
    assert front.encrypted >= 3
    assert front.refused == 0


@pytest.mark.ledger("ASVS-12.3.2")
def test_no_server_is_started_on_a_database_that_cannot_prove_itself(
    front: Front, verifying: Callable[[int], Server], ours: Authority, theirs: Authority, postgres: Postgres
) -> None:
    server = verifying(front.port)
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    for false in (theirs.identity(HERE), ours.identity(ELSEWHERE)):
        front.become(false)
        assert_refused(server, "certificate")
    assert_refused(verifying(postgres.port), "server does not support SSL")


def assert_refused(server: Server, reason: str) -> None:
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "The database cannot be used" in done.stderr
    assert reason in done.stderr


@pytest.mark.ledger("ASVS-12.3.1", "ASVS-12.3.2")
def test_a_database_that_turns_false_is_told_as_503_until_it_is_itself_again(
    front: Front, verifying: Callable[[int], Server], ours: Authority, theirs: Authority
) -> None:
    server = verifying(front.port).start()
    with httpx.Client(base_url=server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
        for false in (theirs.identity(HERE), ours.identity(ELSEWHERE)):
            front.become(false)
            for _ in range(8):  # every thread asks for itself
                assert_problem(http.get("/readyz"), 503, "unavailable")
                assert_problem(bob.try_refresh(), 503, "unavailable")
                assert http.get("/livez").status_code == 200
            front.become(ours.identity(HERE))
            deadline = time.monotonic() + 10
            while bob.try_refresh().status_code == 503:
                assert time.monotonic() < deadline
            assert bob.refresh().me().status_code == 200
