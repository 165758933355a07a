"""Spans of OpenTelemetry, sent by the real SDK to a receiver of ours."""

from collections import Counter

import httpx
import pytest

from tests.fixtures.metrics import LaunchWithMetrics
from tests.observability.otlp_collector import Collector, attributes
from tests.people import Person
from tests.server import Server

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER_KIND = 2


@pytest.mark.parametrize("workers", [1, 2])
def test_every_request_is_a_span_with_its_route_and_status_and_nothing_else(
    launch_with_metrics: LaunchWithMetrics, workers: int
) -> None:
    with Collector() as collector:
        server = launch_with_metrics(
            workers, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, LATCHKEY_MODE="development"
        ).server
        with httpx.Client(base_url=server.url) as http:
            alice = Person(http, "alice@example.com").register().login()
            for _ in range(20):
                alice.refresh().me()
            http.get("/secret-path", params={"token": alice.access_token})
            http.headers["traceparent"] = f"00-{TRACE}-{SPAN}-01"
            alice.try_refresh(alice.spent[0])
        assert server.stop() == 0  # which sends the last spans
    assert collector.paths == {"/v1/traces"}
    assert collector.services == {"latchkey"}
    spans = [span for span in collector.spans if span.name != "GET /livez"]
    assert Counter((span.name, attributes(span)["http.response.status_code"]) for span in spans) == {
        ("POST /api/register/", 201): 1,
        ("POST /api/login/", 200): 1,
        ("POST /api/refresh/", 200): 20,
        ("GET /api/me/", 200): 20,
        ("GET other", 404): 1,
        ("POST /api/refresh/", 401): 1,
    }
    assert {span.kind for span in spans} == {SERVER_KIND}
    assert {key for span in spans for key in attributes(span)} == {
        "http.request.method",
        "http.route",
        "http.response.status_code",
    }
    assert all(span.end_time_unix_nano > span.start_time_unix_nano for span in spans)
    (led,) = [span for span in spans if span.trace_id.hex() == TRACE]
    assert led.parent_span_id.hex() == SPAN
    (line,) = [line for line in server.log.read_text().splitlines() if "session.replayed" in line]
    assert f"trace_id={TRACE}" in line
    assert f"span_id={led.span_id.hex()}" in line


def test_a_collector_that_is_away_holds_up_nobody(launch_with_metrics: LaunchWithMetrics) -> None:
    server = launch_with_metrics(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1"
    ).server
    with httpx.Client(base_url=server.url, timeout=2) as http:
        Person(http, "alice@example.com").register().login().refresh().me()
    assert server.stop() == 0


def test_without_an_endpoint_nothing_of_the_sdk_is_imported(server: Server) -> None:
    code = "import sys, latchkey.wsgi\nprint([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert server.shell(code) == "[]"


def test_without_the_extra_the_service_says_so_and_serves(server: Server) -> None:
    server.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    hidden = "import sys\nsys.modules['opentelemetry.sdk.trace'] = None\n"
    said = server.shell(f"{hidden}import latchkey.wsgi\nprint(type(latchkey.wsgi.application).__name__)")
    assert said.endswith("ShortWay")
    assert "tracing.not_installed" in said
