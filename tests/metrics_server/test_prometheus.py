"""deploy/prometheus/ in a real Prometheus, which scrapes a real server and runs the queries of the dashboard."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts.test_docs import ROOT
from tests.fixtures.metrics import LaunchWithMetrics
from tests.people import Person
from tests.postgres import free_port
from tests.support.metrics_endpoint import MetricsEndpoint

pytestmark = pytest.mark.prometheus
DEPLOY = ROOT / "deploy"
PANELS = json.loads((DEPLOY / "grafana" / "latchkey.json").read_text())["panels"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]


@pytest.fixture
def scraped(launch_with_metrics: LaunchWithMetrics) -> MetricsEndpoint:
    metrics = launch_with_metrics()
    with httpx.Client(base_url=metrics.server.url) as http:
        Person(http, "alice@example.com").register().login().refresh().me()
    return metrics


@pytest.fixture
def prometheus(scraped: MetricsEndpoint, tmp_path: Path) -> Iterator[httpx.Client]:
    """A Prometheus with the configuration of deploy/prometheus/, which scrapes this server every second."""
    folder, port = tmp_path / "prometheus", free_port()
    shutil.copytree(DEPLOY / "prometheus", folder)
    configuration = folder / "prometheus.yml"
    text = configuration.read_text().replace("127.0.0.1:9100", scraped.url.removeprefix("http://"))
    configuration.write_text(text.replace("15s", "1s"))
    address = f"127.0.0.1:{port}"
    options = [
        f"--config.file={configuration}",
        f"--web.listen-address={address}",
        f"--storage.tsdb.path={folder}/data",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}", timeout=10) as http:
            wait_for_a_scrape(http, folder / "log")
            yield http
    finally:
        process.terminate()
        process.wait(20)


def wait_for_a_scrape(http: httpx.Client, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if run_query(http, 'up{job="latchkey"} == 1'):
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.2)


def run_query(http: httpx.Client, query: str) -> list[Any]:
    """Return the result of a query; fails if Prometheus cannot parse it."""
    answer = http.get("/api/v1/query", params={"query": query})
    if answer.status_code == 503:  # it starts
        return []
    assert answer.status_code == 200, (query, answer.text)
    result: list[Any] = answer.json()["data"]["result"]
    return result


def test_prometheus_scrapes_every_metric_and_runs_every_dashboard_query(prometheus: httpx.Client) -> None:
    for title, query in QUERIES:
        expanded = query.replace("$__rate_interval", "1m").replace("$job", ".*")
        found = run_query(prometheus, expanded)
        assert found or "rate(" in query or "increase(" in query, (title, expanded)
    assert run_query(prometheus, 'latchkey_events_total{event="session.refreshed"}')[0]["value"][1] == "1"


def test_prometheus_loads_the_alerts_and_none_fires_on_a_healthy_server(prometheus: httpx.Client) -> None:
    (group,) = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    assert len(group["rules"]) == 12
    deadline = time.monotonic() + 20
    while any(rule["health"] == "unknown" for rule in group["rules"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        (group,) = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    assert {(rule["name"], rule["health"], rule["state"]) for rule in group["rules"]} == {
        (rule["name"], "ok", "inactive") for rule in group["rules"]
    }


@pytest.mark.parametrize("rules", ["alerts_test.yml", "high_availability_alerts_test.yml"])
def test_prometheus_alerts_fire_in_their_promtool_tests(rules: str) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(Path(__file__).with_name(rules))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
