"""Read /metrics as Prometheus does."""

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
    """A server, and what it says at its own address for metrics."""

    server: Server
    url: str

    def get(self, path: str = "/metrics") -> httpx.Response:
        return httpx.get(f"{self.url}{path}", timeout=10)

    def samples(self) -> list[Sample]:
        answer = self.get()
        assert answer.status_code == 200, answer.text
        return samples(answer.text)

    def value(self, name: str, **labels: str) -> float:
        """Return the one sample of this name with these labels."""
        (found,) = [one for one in self.samples() if one.name == name and labels.items() <= one.labels.items()]
        return found.value

    def requests(self) -> Counter[tuple[str, str, int]]:
        """Return how many requests there were of each method, route and status."""
        counted: Counter[tuple[str, str, int]] = Counter()
        for one in self.samples():
            if one.name == REQUEST_COUNT and one.labels["route"] not in ("/livez", "/metrics"):  # asked while it starts
                counted[one.labels["method"], one.labels["route"], int(one.labels["status"])] += int(one.value)
        return counted

    def events(self) -> Counter[str]:
        """Return how often each event happened, those that did."""
        found = {one.labels["event"]: int(one.value) for one in self.samples() if one.name == EVENTS_TOTAL}
        return Counter({event: number for event, number in found.items() if number})

    def wait_for(self, said: Callable[[], bool], within: float = 5) -> None:
        """Wait until what is said once a second has been said."""
        deadline = time.monotonic() + within
        while not said():
            assert time.monotonic() < deadline, self.get().text
            time.sleep(0.05)
