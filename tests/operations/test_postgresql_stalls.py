"""A PostgreSQL that accepts and says nothing: every request is answered in time, and the service recovers by itself."""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from latchkey.conf.database import ANSWER_TIMEOUT
from latchkey.server.answer_deadline import ANSWER_SECONDS
from tests.operations.dripping_proxy import DrippingProxy
from tests.people import Person
from tests.postgres import Postgres
from tests.server import Server, create_database
from tests.support.availability import assert_unavailable
from tests.support.http_connection import Connection, request
from tests.support.postgres_servers import frozen_backends, frozen_server, shared_directory, stop_afterwards

PROMISED = 12.0
"""Seconds of the longest answer, as docs/operations.md promises."""

SOON = 2.0
PROBE_TIMEOUT = 2.0
THREADS = 2


@pytest.fixture
def two_threads(postgres: Postgres, tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, create_database(postgres.url), workers=1, threads=THREADS).start()
    yield server
    server.kill()


@pytest.fixture
def alice(two_threads: Server) -> Iterator[Person]:
    set_window = two_threads.command("constance", "set", "RETRY_WINDOW", "60")
    assert set_window.returncode == 0, set_window.stderr
    with httpx.Client(base_url=two_threads.url, timeout=60) as http:
        yield Person(http, "alice@example.com").register().login()


def everything(alice: Person) -> dict[str, Callable[[], httpx.Response]]:
    """Return a request for each way of a statement: event loop, request thread, hashing thread, Django's cycle."""
    url = str(alice.http.base_url)
    return {
        "refresh": lambda: httpx.post(f"{url}/api/refresh/", json={"refresh_token": alice.refresh_token}, timeout=60),
        "me": lambda: httpx.get(f"{url}/api/me/", headers=alice.bearer(), timeout=60),
        "sessions": lambda: httpx.get(f"{url}/api/sessions/", headers=alice.bearer(), timeout=60),
        "login": lambda: httpx.post(
            f"{url}/api/login/", json={"email": alice.email, "password": alice.password}, timeout=60
        ),
        "admin": lambda: httpx.get(f"{url}/admin/", cookies={"sessionid": "a" * 32}, timeout=60),
    }


def warm_up(alice: Person) -> None:
    """Open the connection of every thread, so that it is there when PostgreSQL freezes."""
    requests = everything(alice)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(4):
            for asked in [pool.submit(requests[name]) for name in ("sessions", "login", "me", "admin")]:
                assert asked.result().status_code in (200, 302)
    assert httpx.get(f"{alice.http.base_url}/readyz").status_code == 200


@contextmanager
def silent_standby(postgres: Postgres) -> Iterator[None]:
    """Have every commit wait for a synchronous standby that never answers; statement_timeout does not end that."""
    postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
    postgres.sql("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        postgres.sql("ALTER SYSTEM RESET synchronous_standby_names")
        postgres.sql("SELECT pg_reload_conf()")


def assert_probes_in_time(server: Server) -> None:
    began = time.monotonic()
    assert httpx.get(f"{server.url}/livez", timeout=60).status_code == 200
    assert time.monotonic() - began < SOON / 2
    assert_unavailable(httpx.get(f"{server.url}/readyz", timeout=60), within=PROBE_TIMEOUT + SOON / 2)


@pytest.mark.ledger("H-INF-14", "ASVS-13.1.3")
@pytest.mark.parametrize("freeze", ["backends", "server"])
def test_frozen_postgresql_is_answered_503_in_time_and_left(
    two_threads: Server, postgres: Postgres, alice: Person, freeze: str
) -> None:
    warm_up(alice)
    url = two_threads.environment["DATABASE_URL"]
    with ThreadPoolExecutor(16) as pool:
        with frozen_backends(url) if freeze == "backends" else frozen_server(postgres):
            asked = {name: pool.submit(send) for name, send in everything(alice).items()}
            assert_probes_in_time(two_threads)
            answers = [one.result() for one in asked.values()]
            if freeze == "backends":  # a thread that had no connection yet opens one that works
                assert {answer.status_code for answer in answers} <= {200, 302, 503}
                answers = [answer for answer in answers if answer.status_code == 503]
                assert len(answers) > len(asked) / 2
            for answer in answers:
                assert_unavailable(answer, within=PROMISED)
                assert answer.elapsed.total_seconds() > ANSWER_TIMEOUT - SOON
            again = {name: pool.submit(send) for name, send in everything(alice).items()}
            for answer in (one.result() for one in again.values()):
                # connections of before are not waited for again: new ones work, or cannot be opened
                assert answer.elapsed.total_seconds() < ANSWER_TIMEOUT, answer.url
                if freeze == "server":
                    assert_unavailable(answer, within=ANSWER_TIMEOUT)
        wait_for_recovery(two_threads)
        assert everything(alice)["refresh"]().status_code == 200
    log = two_threads.log.read_text()
    assert log.count("database.stalled") == 1
    assert "Traceback" not in log


def wait_for_recovery(server: Server, within: float = 15) -> None:
    deadline = time.monotonic() + within
    while httpx.get(f"{server.url}/readyz", timeout=60).status_code != 200:
        assert time.monotonic() < deadline


def test_commits_that_wait_for_a_silent_standby_are_answered_503_and_the_retry_works(
    two_threads: Server, postgres: Postgres, alice: Person
) -> None:
    warm_up(alice)
    requests = everything(alice)
    with ThreadPoolExecutor(16) as pool:
        with silent_standby(postgres):
            asked = [pool.submit(requests[name]) for name in ("refresh", "login")]
            assert requests["me"]().status_code == 200  # it reads
            for one in asked:
                assert_unavailable(one.result(), within=PROMISED)
        wait_for_recovery(two_threads)
        alice.refresh().refresh()  # the first one repeats the refresh whose commit hung
        assert alice.login().me().status_code == 200


@pytest.mark.usefixtures("alice")
def test_requests_that_wait_for_a_thread_of_a_frozen_postgresql_are_answered_in_time(
    two_threads: Server, postgres: Postgres, alice: Person
) -> None:
    warm_up(alice)
    ask = request("GET /api/sessions/", b"Authorization: " + alice.bearer()["Authorization"].encode())
    with ExitStack() as stack:
        stack.enter_context(frozen_server(postgres))
        waiting = [stack.enter_context(Connection(two_threads.port, 60)) for _ in range(400)]
        began = time.monotonic()
        for connection in waiting:
            connection.send(ask)
        assert {connection.read_response().status_code for connection in waiting} == {503}
        assert ANSWER_SECONDS - SOON < time.monotonic() - began < PROMISED
    assert two_threads.log.read_text().count("requests_timed_out") == 1


def test_postgresql_whose_answers_drip_is_answered_503_in_time(postgres: Postgres, tmp_path: Path) -> None:
    url = create_database(postgres.url)
    with ExitStack() as stack:
        proxy = stack.enter_context(DrippingProxy(postgres.port))
        behind = url.replace(f":{postgres.port}/", f":{proxy.port}/")
        server = Server(tmp_path, behind, workers=1, threads=THREADS).start()
        stack.callback(server.kill)
        http = stack.enter_context(httpx.Client(base_url=server.url, timeout=60))
        alice = Person(http, "alice@example.com").register().login()
        warm_up(alice)
        pool = stack.enter_context(ThreadPoolExecutor(16))
        proxy.dripping.set()
        asked = [pool.submit(send) for send in everything(alice).values()]
        assert_probes_in_time(server)
        for one in asked:
            assert_unavailable(one.result(), within=PROMISED)
        proxy.dripping.clear()
        wait_for_recovery(server)
        assert everything(alice)["me"]().status_code == 200


def test_host_that_accepts_and_says_nothing_is_left_for_the_next_one(postgres: Postgres, tmp_path: Path) -> None:
    name = create_database(postgres.url).rpartition("/")[2]
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as stack:
        hosts = f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1:{postgres.port}"
        server = Server(tmp_path, f"postgresql://postgres@{hosts}/{name}", workers=1, threads=THREADS).start()
        stack.callback(server.kill)
        http = stack.enter_context(httpx.Client(base_url=server.url, timeout=60))
        alice = Person(http, "alice@example.com").register().login()
        warm_up(alice)
        for send in everything(alice).values():
            assert send().elapsed.total_seconds() < SOON  # no connection waits for the silent host again


def test_start_on_a_database_that_does_not_answer_ends_with_one_sentence(postgres: Postgres, tmp_path: Path) -> None:
    server = Server(tmp_path, create_database(postgres.url))
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    with silent_standby(postgres):
        began = time.monotonic()
        done = server.command("serve", "--port", str(server.port))  # which stores its first superuser
        assert time.monotonic() - began < ANSWER_TIMEOUT + PROMISED
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_primary_that_stalls_is_left_for_another_host(tmp_path: Path) -> None:
    stalled = Postgres(shared_directory()).create().start()
    name = create_database(stalled.url).rpartition("/")[2]
    with ExitStack() as stack:
        stack.enter_context(stop_afterwards(stalled))
        replica = stalled.replica(shared_directory())
        stack.enter_context(stop_afterwards(replica))
        hosts = f"127.0.0.1:{stalled.port},127.0.0.1:{replica.port}"
        url = f"postgresql://postgres@{hosts}/{name}?target_session_attrs=read-write"
        server = Server(tmp_path, url, workers=1, threads=THREADS).start()
        stack.callback(server.kill)
        http = stack.enter_context(httpx.Client(base_url=server.url, timeout=60))
        alice = Person(http, "alice@example.com").register().login()
        warm_up(alice)
        replica.wait_for_replay(stalled)
        with frozen_server(stalled), ThreadPoolExecutor(16) as pool:
            replica.promote()
            asked = [pool.submit(send) for send in everything(alice).values()]
            for one in asked:  # on connections to the stalled primary
                assert one.result().elapsed.total_seconds() < PROMISED
            for send in everything(alice).values():
                answer = send()
                assert answer.status_code in (200, 302), (answer.url, answer.text)
                assert answer.elapsed.total_seconds() < SOON
        assert server.log.read_text().count("database.stalled") == 1
