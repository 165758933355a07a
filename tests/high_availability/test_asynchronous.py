"""Asynchronous replication: a failover loses what no standby has. The drill counts it, for the documentation."""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.high_availability.conftest import cluster_and_service
from tests.high_availability.service import Service, Traffic
from tests.support.outcome import evaluate
from tests.support.refreshing_clients import Client

pytestmark = pytest.mark.ha


@pytest.fixture(scope="module")
def asynchronous(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with cluster_and_service(tmp_path_factory.mktemp("service"), synchronous=False) as running:
        yield running


def count_lost(clients: list[Client]) -> int:
    return sum(bool(client.lost) for client in clients)


def test_asynchronous_primary_that_is_cut_off_loses_the_writes_that_it_took_meanwhile(
    asynchronous: Service, report: Callable[[str], None]
) -> None:
    cluster = asynchronous.cluster
    primary = cluster.primary()
    cluster.move_etcd_leader(cluster.standbys()[0])
    traffic = Traffic(asynchronous)
    with traffic.running():
        traffic.load.wait_for_refreshes(200)
        with cluster.cut_off(primary):
            cut_at = time.monotonic()
            cluster.wait_for_another_primary(primary)
            replaced_at = time.monotonic()
        cluster.wait_until_healthy()
        traffic.wait_for_idle_clients()
    busy, idle = traffic.load.clients[:16], traffic.load.clients[16:]
    outcome = evaluate(traffic.load, asynchronous.nodes[0])
    traffic.load.close()
    missing = traffic.writer.acknowledged - asynchronous.emails()
    report(
        f"asynchronous, the primary is cut off: signed out {count_lost(busy)} of {len(busy)} busy and"
        f" {count_lost(idle)} of {len(idle)} idle clients,"
        f" missing {len(missing)} of {len(traffic.writer.acknowledged)} acknowledged accounts; {traffic}"
    )
    assert missing, "the drill cut nothing off"
    assert not outcome.failures
    ahead = {client.name: sum(cut_at < at < replaced_at for at in client.answered_at) for client in idle}
    assert [client.lost for client in idle if client.lost and ahead[client.name] < 2] == []
