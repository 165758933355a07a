"""docs/metrics.md and the files in deploy/ name the metrics that there are, and no others."""

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.contracts.test_docs import DOCS
from tests.people import Person
from tests.server import Server

PAGE = (DOCS / "metrics.md").read_text()
ROW = re.compile(r"^\| `(?P<name>(?:latchkey|process)_\w+)` \| (?P<type>\w+) \|(?P<labels>[^|]*)\|", re.MULTILINE)
DOCUMENTED = {row["name"]: (row["type"], set(re.findall(r"`(\w+)`", row["labels"]))) for row in ROW.finditer(PAGE)}


@pytest.fixture
def exposed(server: Server) -> dict[str, tuple[str, set[str]]]:
    """Return what a server shows: the type and the labels of each metric."""
    with httpx.Client(base_url=server.url) as http:
        Person(http, "alice@example.com").register().login()
        text = http.get("/metrics").text
    found = {}
    for family in text_string_to_metric_families(text):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type, {label for one in family.samples for label in one.labels} - {"le"}
    return found


def test_every_metric_is_documented_with_its_type_and_labels(exposed: dict[str, tuple[str, set[str]]]) -> None:
    assert exposed == DOCUMENTED
