"""Slow clients: an unfinished request holds no thread, and its connection is closed after a time limit."""

import resource
import select
import time
from collections.abc import Callable, Iterator

import pytest

from latchkey.management.commands.serve import max_connections
from latchkey.server.request_body import BODY_TIMEOUT
from latchkey.server.unread_responses import UNREAD_SECONDS
from tests.http.test_many_connections import assert_prompt
from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server
from tests.support.http_connection import Connection, request

LENGTH = request("POST /api/login/", b"Content-Type: application/json", b"Content-Length: 100", body=b"{")
CHUNKS = request("POST /api/login/", b"Content-Type: application/json", b"Transfer-Encoding: chunked", body=b"5\r\n{")
HEADS = [b"G", b"GET /livez HTTP/1.1\r\nHo", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
DRIP_INTERVAL = 0.5
LIMIT = 30
"""Seconds after which every unfinished connection is closed."""


@pytest.fixture
def many_file_descriptors(open_connection: Callable[[], Connection]) -> Iterator[None]:
    """Raise the soft limit of open files of this process to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.ledger("H-JSON-14", "H-INF-09", "ASVS-15.4.4")
@pytest.mark.parametrize("partial", [LENGTH, CHUNKS])
def test_clients_that_stall_in_the_body_delay_no_other_client_and_get_408(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person, partial: bytes
) -> None:
    started = time.monotonic()
    slow = [open_connection().send(partial) for _ in range(100)]
    assert_prompt(http_server, alice)
    for connection in slow:
        connection.send(b'"')  # a byte more, and they are still not done
    assert_prompt(http_server, alice)
    alice.login().logout()  # a body that does come is read meanwhile
    for connection in slow:
        connection.socket.settimeout(LIMIT)
        assert_problem(connection.read_response("POST /api/login/"), 408, "request_timeout")
        assert connection.is_closed()
    assert time.monotonic() - started < LIMIT


@pytest.mark.ledger("H-INF-09", "ASVS-15.4.4")
def test_clients_that_stall_in_the_head_delay_no_other_client_and_are_disconnected(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person
) -> None:
    started = time.monotonic()
    slow = [open_connection().send(partial) for partial in HEADS for _ in range(50)]
    assert_prompt(http_server, alice)
    for connection in slow:
        connection.send(b"x")
    assert_prompt(http_server, alice)
    assert all(connection.is_closed(LIMIT) for connection in slow)
    assert time.monotonic() - started < LIMIT


@pytest.mark.ledger("H-INF-09", "ASVS-15.4.4")
@pytest.mark.parametrize("partial", [LENGTH, CHUNKS, *HEADS[1:]], ids=["length", "chunks", "name", "value"])
def test_clients_that_drip_a_byte_at_a_time_are_disconnected(
    open_connection: Callable[[], Connection], partial: bytes
) -> None:
    """The time limit is one for the whole head, and for the whole body: it does not start anew with each byte."""
    chunked = b"1\r\nx\r\n" if partial == CHUNKS else b"x"
    dripping = open_connection().send(partial[:-4] if partial == CHUNKS else partial)
    started, received = time.monotonic(), b""
    dripping.socket.settimeout(DRIP_INTERVAL)
    while time.monotonic() - started < LIMIT:
        try:
            dripping.send(chunked)
            received += dripping.socket.recv(4096) or b"EOF"
        except TimeoutError:
            continue
        except OSError:  # closed
            break
    assert time.monotonic() - started < BODY_TIMEOUT + 3 * DRIP_INTERVAL + 1
    assert received.startswith(b"HTTP/1.1 408" if partial in (LENGTH, CHUNKS) else b"EOF")


@pytest.mark.ledger("H-INF-09", "ASVS-15.4.4")
def test_client_that_reads_no_response_is_disconnected(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person
) -> None:
    greedy = open_connection()
    greedy.socket.settimeout(3)
    with pytest.raises(TimeoutError):  # the buffers of both sides are full, and the server waits
        greedy.send(request("GET /livez") * 500_000)
    ended = select.poll()
    ended.register(greedy.socket, 0)  # POLLERR and POLLHUP alone, which are always reported
    assert ended.poll(1000) == []
    assert_prompt(http_server, alice)
    assert ended.poll((UNREAD_SECONDS + 10) * 1000)


@pytest.mark.usefixtures("many_file_descriptors")
def test_2000_idle_connections_delay_no_other_client_and_are_closed(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person
) -> None:
    idle = [open_connection() for _ in range(2000)]
    assert_prompt(http_server, alice)
    assert all(connection.is_closed(LIMIT) for connection in idle[::100])


@pytest.mark.usefixtures("many_file_descriptors")
def test_server_raises_a_low_limit_of_open_files_for_1200_connections(server: Server) -> None:
    server.stop()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    server.restart()  # the limit is inherited
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    idle = [Connection(server.port) for _ in range(1200)]
    with Connection(server.port, 1) as honest:
        assert honest.send(request("GET /readyz")).read_response().status_code == 200
    for connection in idle:
        connection.socket.close()


@pytest.mark.parametrize(("files", "connections"), [(300, 44), (1024, 768), (100, 1), (10_000, 4096)])
def test_max_connections_stays_below_the_limit_of_open_files(files: int, connections: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    try:
        assert max_connections() == connections
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_client_that_disconnects_in_the_body_is_logged_without_a_traceback(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person
) -> None:
    log_size = http_server.log.stat().st_size
    for body in (LENGTH, CHUNKS) * 20:
        open_connection().send(body).socket.close()
    assert_prompt(http_server, alice)
    deadline = time.monotonic() + 5
    while http_server.log.read_text()[log_size:].count("POST /api/login/") < 40:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "Traceback" not in http_server.log.read_text()[log_size:]
