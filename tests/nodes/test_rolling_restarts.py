"""Two nodes behind a proxy that are restarted, killed or have different clocks: what clients see of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import faults
from tests.nodes.traffic import Traffic
from tests.server import Server

pytestmark = pytest.mark.nodes
MOVED_CLOCK = Path(faults.__file__).with_name("moved_clock")
EXPECTED_RESPONSES = "session.refreshed"


def wait_until_node_serves(node: Server, traffic: Traffic) -> None:
    """Wait until the proxy sends requests to this node again."""
    before = node.log.read_text().count(EXPECTED_RESPONSES)
    while node.log.read_text().count(EXPECTED_RESPONSES) < before + 20:
        traffic.load.wait_for_refreshes(10)


@pytest.mark.ledger("H-INF-10")
def test_rolling_restart_of_two_nodes_fails_no_request(
    nodes: list[Server], traffic: Callable[[], Traffic], assert_outcome: Callable[..., None]
) -> None:
    with traffic() as clients:
        for node in nodes * 2:
            wait_until_node_serves(node, clients)
            assert node.stop() == 0
            clients.load.wait_for_refreshes(100)
            node.restart()
            wait_until_node_serves(node, clients)
    assert clients.failed_requests() == {}
    assert_outcome(clients.load, nodes[0], "4 restarts, one after the other")


@pytest.mark.ledger("H-INF-11")
def test_killing_a_node_forks_and_loses_no_session(
    nodes: list[Server], traffic: Callable[[], Traffic], assert_outcome: Callable[..., None], database_url: str
) -> None:
    with traffic() as clients:
        for node in nodes * 2:
            wait_until_node_serves(node, clients)
            node.kill()
            clients.load.wait_for_refreshes(100)
            node.restart()
            wait_until_node_serves(node, clients)
    in_flight = 2 * len(nodes) * len(clients.users)
    assert set(clients.load.statuses()) == {"200"}, clients.load
    assert clients.failed_requests().total() <= in_flight, clients.failed_requests()
    clients.delete_leftover_sessions(database_url)
    assert_outcome(clients.load, nodes[0], f"4 nodes killed, failed requests: {dict(clients.failed_requests())}")


@pytest.mark.ledger("H-TIME-03")
@pytest.mark.parametrize("apart", [30, -30])
def test_nodes_with_clocks_30_s_apart_sign_no_user_out(
    nodes: list[Server], traffic: Callable[[], Traffic], assert_outcome: Callable[..., None], apart: int
) -> None:
    off = nodes[1].folder / "clock"
    off.write_text(str(apart))
    nodes[1].kill()
    nodes[1].environment |= {"PYTHONPATH": str(MOVED_CLOCK), "LATCHKEY_TESTS_CLOCK": str(off)}
    nodes[1].restart()
    with traffic() as clients:
        for node in nodes:
            wait_until_node_serves(node, clients)
        clients.load.wait_for_refreshes(500)
    assert set(clients.load.statuses()) == {"200"}, clients.load
    assert all(trouble.endswith("/api/me/ 401") for trouble in clients.failed_requests()), clients.failed_requests()
    assert_outcome(
        clients.load, nodes[0], f"clocks {apart} s apart, failed requests: {dict(clients.failed_requests())}"
    )
