"""A client of /metrics that parses samples as Prometheus does."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.server import Server

REQUEST_COUNT = "latchkey_request_duration_seconds_count"
EVENTS_TOTAL = "latchkey_events_total"


def samples(text: str) -> list[Sample]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


@dataclass
class MetricsEndpoint:
    """A server and the URL of its metrics listener."""

    server: Server
    url: str

    def get(self, path: str = "/metrics") -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=10)

    def samples(self) -> list[Sample]:
        answer = self.get()
        assert answer.status_code == 200, answer.text
        return samples(answer.text)

    def value(self, name: str, **labels: str) -> float:
        """Return the value of the one sample with this name and these labels."""
        (found,) = [one for one in self.samples() if one.name == name and labels.items() <= one.labels.items()]
        return found.value

    def requests(self) -> Counter[tuple[str, str, int]]:
        """Return the number of requests by method, route and status."""
        counted: Counter[tuple[str, str, int]] = Counter()
        for one in self.samples():
            if one.name == REQUEST_COUNT and one.labels["route"] not in ("/livez", "/metrics"):  # asked while it starts
                counted[one.labels["method"], one.labels["route"], int(one.labels["status"])] += int(one.value)
        return counted

    def events(self) -> Counter[str]:
        """Return the number of each event that has occurred."""
        found = {one.labels["event"]: int(one.value) for one in self.samples() if one.name == EVENTS_TOTAL}
        return Counter({event: number for event, number in found.items() if number})

    def wait_for(self, condition: Callable[[], bool], within: float = 5) -> None:
        """Wait until a condition holds that depends on gauges, which are updated once a second."""
        deadline = time.monotonic() + within
        while not condition():
            assert time.monotonic() < deadline, self.get().text
            time.sleep(0.05)
