"""Fixtures: three machines by deploy/ha, two nodes of Latchkey on them, and the outcome of a drill."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.high_availability.cluster import Cluster
from tests.high_availability.service import MAX_RESPONSE_SECONDS, Service, Traffic
from tests.server import Server
from tests.support.postgres_servers import shared_directory
from tests.support.refreshing_clients import Load

MAX_RECOVERY_SECONDS = 25.0
"""Seconds without any 200, as docs/high-availability.md promises."""

Drill = Callable[..., AbstractContextManager[Traffic]]


@contextmanager
def cluster_and_service(folder: Path, synchronous: bool = True) -> Iterator[Service]:
    cluster = Cluster(shared_directory(), synchronous)
    try:
        service = Service(cluster.start(), folder)
        try:
            service.create_database()
            yield service.start()
        finally:
            service.stop()
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A synchronous cluster and two nodes, for all drills of a module; a drill leaves it repaired."""
    with cluster_and_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def cluster(service: Service) -> Cluster:
    return service.cluster


@pytest.fixture
def report(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return a function that prints what a drill has measured, as soon as it is over."""

    def write(line: str) -> None:
        with capfd.disabled():
            print(f"\n{line}", flush=True)

    return write


@pytest.fixture
def drill(
    service: Service, assert_outcome: Callable[[Load, Server, str], None], report: Callable[[str], None]
) -> Drill:
    """Return a context manager, a fault under load: `with drill("a name", max_recovery=15) as traffic`.

    At its end the load goes on until clients are served again, and the cluster is repaired. Then the outcome is
    asserted: no lost and no forked session, no acknowledged write missing, each answer and the recovery in time.
    """

    @contextmanager
    def run(name: str, max_recovery: float = MAX_RECOVERY_SECONDS) -> Iterator[Traffic]:
        service.cluster.wait_until_healthy()
        if service.cluster.etcd_leader() is service.cluster.primary():  # after a restart of etcd, as the page says
            service.cluster.move_etcd_leader(service.cluster.standbys()[0])
        service.delete_users()
        service.restart_nodes()
        traffic = Traffic(service)
        with traffic.running():
            traffic.load.wait_for_refreshes(200)
            yield traffic
            traffic.load.wait_for_refreshes(400, within=90)
            repaired = service.cluster.repair()
            traffic.load.wait_for_refreshes(200)
        report(f"{name}: {traffic}, repaired after {repaired:.1f} s")
        missing = traffic.writer.acknowledged - service.emails()
        assert_outcome(traffic.load, service.nodes[0], name)
        traffic.load.close()
        assert not missing, f"{len(missing)} of {len(traffic.writer.acknowledged)} acknowledged accounts are missing"
        assert set(traffic.load.statuses()) <= {"200", "503"}, traffic
        assert set(traffic.writer.statuses) <= {"201", "503"}, traffic
        assert traffic.slowest <= MAX_RESPONSE_SECONDS, traffic
        assert traffic.gap <= max_recovery, traffic

    return run
