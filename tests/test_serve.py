"""latchkey serve: its start, its stop, and what it says when it cannot."""

import httpx

from tests.server import Server


def test_serve_answers_and_stops_cleanly(server: Server) -> None:
    assert httpx.get(f"{server.url}/livez").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ok"}
    assert len(server.worker_pids()) == 2
    assert server.stop() == 0
    assert "Latchkey has stopped." in server.log.read_text()
    assert "Traceback" not in server.log.read_text()
