"""A machine, a process or a link of the cluster fails under load: nobody is signed out, and no write is lost."""

import re
import time

import httpx
import pytest

from tests.high_availability.cluster import Cluster
from tests.high_availability.conftest import Drill
from tests.high_availability.programs import ROOT
from tests.high_availability.service import Service

pytestmark = pytest.mark.ha


UNNOTICED = 5.0
"""Seconds without a 200 on a busy machine if nothing is held up; with one named standby it would be 6 to 20 s."""

MAX_HELD_UP = 15.0
"""Seconds for which silent standbys hold up commits: wal_sender_timeout, loop_wait, and a margin."""

ETCD_OUTAGE = 30.0
"""Seconds; longer than the ttl of the leader, so that Patroni without failsafe_mode would step down."""


def test_alerts_use_metrics_of_patroni(cluster: Cluster) -> None:
    rules = (ROOT / "deploy" / "prometheus" / "high-availability.yml").read_text()
    used = set(re.findall(r"\bpatroni_\w+", rules))
    assert len(used) > 5
    answer = httpx.get(f"{cluster.primary().rest}/metrics", timeout=5)
    assert used <= set(re.findall(r"^(\w+)\{", answer.text, re.MULTILINE))


def test_crash_of_the_primary_machine_loses_nothing(cluster: Cluster, drill: Drill) -> None:
    with drill("the machine of the primary crashes"):
        cluster.primary().kill()


def test_crash_of_postgresql_on_the_primary_loses_nothing(cluster: Cluster, drill: Drill) -> None:
    with drill("PostgreSQL of the primary is killed"):
        cluster.primary().kill("data")


def test_etcd_of_a_new_primary_hands_its_leadership_to_another_machine(cluster: Cluster, drill: Drill) -> None:
    primary, standby = cluster.primary(), cluster.standbys()[0]
    with drill("switchover to the machine of the leader of etcd"):
        cluster.move_etcd_leader(standby)
        cluster.patronictl("switchover", "--leader", primary.name, "--candidate", standby.name, "--force")
        cluster.wait_for_another_primary(primary)
        cluster.wait_for_another_etcd_leader(standby)


def test_switchover_loses_nothing(cluster: Cluster, drill: Drill) -> None:
    primary = cluster.primary()
    with drill("switchover"):
        cluster.patronictl("switchover", "--force")
        cluster.wait_for_another_primary(primary)


def test_primary_that_is_cut_off_while_clients_reach_it_loses_nothing(cluster: Cluster, drill: Drill) -> None:
    primary = cluster.primary()
    with drill("the primary is cut off from its peers") as traffic, cluster.cut_off(primary):
        cluster.wait_for_another_primary(primary)
        traffic.load.wait_for_refreshes(400)


def test_silent_standby_holds_up_nothing(cluster: Cluster, drill: Drill) -> None:
    with drill("a standby is frozen", UNNOTICED) as traffic, cluster.standbys()[0].frozen("data"):
        traffic.wait_for_idle_clients()


def test_both_standbys_that_are_silent_hold_up_commits_for_a_moment(cluster: Cluster, drill: Drill) -> None:
    one, other = cluster.standbys()
    with drill("both standbys are frozen", MAX_HELD_UP) as traffic, one.frozen("data"), other.frozen("data"):
        traffic.load.wait_for_refreshes(400)


def test_frozen_patroni_of_the_primary_loses_nothing_and_is_left(
    service: Service, cluster: Cluster, drill: Drill
) -> None:
    primary = cluster.primary()
    with drill("Patroni of the primary is frozen") as traffic, primary.frozen("patroni"):
        cluster.wait_for_another_primary(primary)
        assert service.connections(primary) == 0, "a node could read from the former primary"
        traffic.load.wait_for_refreshes(400)


def test_etcd_without_quorum_loses_nothing(cluster: Cluster, drill: Drill) -> None:
    primary = cluster.primary()
    with drill("etcd has no quorum", UNNOTICED):
        for machine in cluster.standbys():
            machine.kill("etcd")
        time.sleep(ETCD_OUTAGE)
        assert cluster.primary() is primary


def test_standby_that_is_cut_off_and_comes_back_holds_up_nothing(cluster: Cluster, drill: Drill) -> None:
    standby = cluster.standbys()[0]
    with drill("a standby is cut off", UNNOTICED) as traffic, cluster.cut_off(standby):
        traffic.wait_for_idle_clients()
