"""W3C Trace Context: the trace id of a valid traceparent header is on the log lines of the request."""

import httpx
import pytest

from latchkey.telemetry.tracing import parse_traceparent
from tests.people import Person
from tests.support.captured_log import CapturedLog

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"

BAD = [
    "",
    f"01-{TRACE}-{SPAN}-01",
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    GOOD.upper(),
    GOOD[:-1],
    f"{GOOD}-more",
    f" {GOOD}",
    f"{GOOD}\n",
    f"{GOOD},{GOOD}",
    f"00-{TRACE[:-1]}g-{SPAN}-01",
    f"00-{TRACE[:-1]}\N{ARABIC-INDIC DIGIT ONE}-{SPAN}-01",
]


def test_parse_traceparent_reads_a_valid_header() -> None:
    assert parse_traceparent(GOOD) == (TRACE, SPAN)


@pytest.mark.parametrize("traceparent", BAD)
def test_parse_traceparent_ignores_an_invalid_header(traceparent: str) -> None:
    assert parse_traceparent(traceparent) is None


@pytest.mark.parametrize("path", ["/api/me/", "/api/me/?long=way", "/nothing"])
def test_request_log_line_has_the_trace_id_of_a_valid_traceparent(
    alice: Person, captured_log: CapturedLog, path: str
) -> None:
    alice.http.get(path, headers=alice.bearer() | {"traceparent": GOOD, "Accept": "text/html;q=0.1, */*"})
    (line,) = captured_log.lines()
    assert (line["trace_id"], line["span_id"]) == (TRACE, SPAN)


@pytest.mark.parametrize("headers", [{}, {"traceparent": BAD[-4]}])
def test_request_log_line_has_no_trace_id_without_a_valid_traceparent(
    alice: Person, captured_log: CapturedLog, headers: dict[str, str]
) -> None:
    alice.http.get("/api/me/", headers=alice.bearer() | headers)
    (line,) = captured_log.lines()
    assert not {"trace_id", "span_id"} & set(line)


def test_audit_event_log_line_has_the_trace_id_of_the_request(
    http: httpx.Client, alice: Person, captured_log: CapturedLog
) -> None:
    http.headers["traceparent"] = GOOD
    alice.refresh()
    (line,) = captured_log.lines("session.refreshed")
    assert line["trace_id"] == TRACE
