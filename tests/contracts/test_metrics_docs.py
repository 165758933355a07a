"""docs/metrics.md and the files in deploy/ name exactly the metrics that a server exposes."""

import json
import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from latchkey.audit.events import Event
from tests.contracts.test_docs import DOCS, ROOT
from tests.people import Person
from tests.server import Server

PAGE = (DOCS / "metrics.md").read_text()
ROW = re.compile(r"^\| `(?P<name>(?:latchkey|process)_\w+)` \| (?P<type>\w+) \|(?P<labels>[^|]*)\|", re.MULTILINE)
DOCUMENTED = {row["name"]: (row["type"], set(re.findall(r"`(\w+)`", row["labels"]))) for row in ROW.finditer(PAGE)}
DASHBOARD, ALERTS = ROOT / "deploy" / "grafana" / "latchkey.json", ROOT / "deploy" / "prometheus" / "alerts.yml"
NAME = re.compile(r"\b(?:latchkey|process)_[a-z_]+\b")


@pytest.fixture
def exposed(server: Server) -> dict[str, tuple[str, set[str]]]:
    """The metrics that a server exposes: type and labels by name."""
    with httpx.Client(base_url=server.url) as http:
        Person(http, "alice@example.com").register().login()
        text = http.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type, {label for one in family.samples for label in one.labels} - {"le"}
    return found


@pytest.mark.slow
def test_metrics_page_documents_each_metric_with_its_type_and_labels(exposed: dict[str, tuple[str, set[str]]]) -> None:
    assert exposed == DOCUMENTED


def named_in(file: Path) -> set[str]:
    """Return the metrics that a file names; the series of a histogram count under its own name."""
    return {re.sub("_(bucket|count|sum)$", "", name) for name in NAME.findall(file.read_text())}


def test_grafana_dashboard_shows_exactly_the_documented_metrics() -> None:
    assert named_in(DASHBOARD) == set(DOCUMENTED)


def test_prometheus_alerts_use_documented_metrics_only() -> None:
    assert named_in(ALERTS) - set(DOCUMENTED) == set()


@pytest.mark.parametrize("file", [DASHBOARD, ALERTS], ids=lambda file: file.name)
def test_dashboard_and_alerts_query_existing_events_only(file: Path) -> None:
    text = file.read_text().replace('\\"', '"')
    patterns = re.findall(r'event(=~?)"([^"]+)"', text)
    events = [str(event) for event in Event]
    for operator, pattern in patterns:
        for one in pattern.split("|") if "(" not in pattern else [pattern]:
            expected = re.compile(one if operator == "=~" else re.escape(one))
            assert any(expected.fullmatch(event) for event in events), one
    assert patterns


def test_operations_page_explains_every_prometheus_alert() -> None:
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert re.findall(r"^\| `(Latchkey\w+)` \|", (DOCS / "operations.md").read_text(), re.MULTILINE) == alerts


def test_grafana_dashboard_panels_have_a_title_and_a_description() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels)
