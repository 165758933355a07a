"""Unhandled exceptions outside of any view: a 500 with problem details, a traceback in the log, and no lost thread."""

from pathlib import Path

import httpx

from tests.problems import assert_problem
from tests.server import Server


def test_exception_before_any_view_returns_500_and_logs_the_traceback(server: Server) -> None:
    server.stop()
    server.environment["PYTHONPATH"] = str(Path(__file__).with_name("broken_signals"))
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        for _ in range(server.workers * server.threads + 1):  # no thread is lost by it
            assert_problem(http.get("/broken"), 500, "server_error")
            assert_problem(http.get("/unbroken"), 404, "not_found")
    assert "RuntimeError: on purpose" in server.log.read_text()
