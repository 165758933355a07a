"""OpenTelemetry spans, sent by the real SDK to a collector of the test."""

from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.fixtures.metrics import LaunchWithMetrics
from tests.observability.otlp_collector import Collector, attributes
from tests.people import Person
from tests.server import Server

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER_KIND = 2


@pytest.mark.parametrize("workers", [1, 2])
def test_opentelemetry_exports_one_span_per_request_with_method_route_and_status_only(
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


def test_opentelemetry_spans_contain_no_client_supplied_text(launch_with_metrics: LaunchWithMetrics) -> None:
    with Collector() as collector:
        server = launch_with_metrics(
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_SEMCONV_STABILITY_OPT_IN="http/dup",
            OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS="true",
            OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=".*",
            OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=".*",
        ).server
        headers = {"User-Agent": "chosen", "Cookie": "chosen=1", "X-Chosen": "chosen", "Baggage": "chosen=1"}
        with httpx.Client(base_url=server.url, headers=headers) as http:
            http.get("/chosen", params={"chosen": "chosen"})
            http.get("/api/me/chosen?chosen=chosen", headers={"traceparent": "chosen", "tracestate": "chosen=1"})
            http.request("CHOSEN", "/livez", headers={"Host": "chosen.example"})
            response = http.get("/admin/login/")
        assert server.stop() == 0
    assert response.cookies["csrftoken"]
    spans = [span for span in collector.spans if span.name != "GET /livez"]
    assert Counter((span.name, *sorted(map(str, attributes(span).values()))) for span in spans) == {
        ("GET other", "404", "GET", "other"): 2,
        ("HTTP", "/livez", "405", "_OTHER"): 1,
        ("GET /admin/", "/admin/", "200", "GET"): 1,
    }
    for span in spans:
        assert "chosen" not in str(span).lower()
        assert response.cookies["csrftoken"] not in str(span)


def test_opentelemetry_collector_outage_delays_no_request(launch_with_metrics: LaunchWithMetrics) -> None:
    server = launch_with_metrics(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1"
    ).server
    with httpx.Client(base_url=server.url, timeout=2) as http:
        Person(http, "alice@example.com").register().login().refresh().me()
    assert server.stop() == 0


def test_opentelemetry_sdk_is_not_imported_without_an_endpoint(server: Server) -> None:
    code = "import sys, latchkey.wsgi\nprint([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert server.shell(code) == "[]"


@pytest.mark.parametrize("missing", ["opentelemetry.sdk.trace", "opentelemetry.instrumentation.wsgi"])
def test_server_logs_a_missing_opentelemetry_extra_and_serves_without_it(server: Server, missing: str) -> None:
    server.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:9"
    hidden = f"import sys\nsys.modules['{missing}'] = None\n"
    output = server.shell(f"{hidden}import latchkey.wsgi\nprint(type(latchkey.wsgi.application).__name__)")
    assert output.endswith("FastPath")
    assert "tracing.not_installed" in output


@pytest.mark.parametrize(
    ("variable", "value"), [("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "x"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999")]
)
def test_serve_refuses_a_variable_that_opentelemetry_does_not_take(tmp_path: Path, variable: str, value: str) -> None:
    server = Server(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    server.environment[variable] = value
    done = server.command("serve", "--port", str(server.port))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("latchkey: A variable OTEL_... cannot be used by OpenTelemetry: ")
