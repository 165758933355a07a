"""No outbound connections while requests are served, so no server-side request forgery (SSRF)."""

import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.people import Person
from tests.support.admin_pages import USERS, Browser

NETWORK_EVENTS = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"}
NETWORK_EVENTS |= {"http.client.connect", "smtplib.connect", "ftplib.connect", "subprocess.Popen", "os.system"}
recorded_calls: list[tuple[str, Any]] | None = None


def record_call(event: str, arguments: Any) -> None:
    if recorded_calls is not None and event in NETWORK_EVENTS:
        recorded_calls.append((event, arguments))


sys.addaudithook(record_call)


@pytest.fixture
def outbound_calls() -> Iterator[list[tuple[str, Any]]]:
    """Every outbound call of this process from here on, except those of the database driver in C."""
    global recorded_calls  # noqa: PLW0603 - a hook cannot be taken off again
    recorded_calls = []
    yield recorded_calls
    recorded_calls = None


ELSEWHERE = {"X-Forwarded-Host": "127.0.0.1:9", "Referer": "http://127.0.0.1:9/", "Origin": "http://127.0.0.1:9"}


@pytest.mark.ledger("ASVS-15.3.2")
def test_requests_to_the_api_cause_no_outbound_connections(
    outbound_calls: list[tuple[str, Any]], http: httpx.Client, admin: Browser
) -> None:
    http.headers.update(ELSEWHERE)
    alice = Person(http, "alice@localhost.example.com").register().login().refresh()
    alice.me()
    alice.try_refresh("00000000-0000-4000-8000-000000000000")
    http.post("/api/login/", json={"email": alice.email, "password": "http://127.0.0.1:9/"})
    http.get("/api-doc/?url=http://127.0.0.1:9/")
    http.get("/api-doc/schema/?url=http://127.0.0.1:9/")
    assert alice.logout().status_code == 200
    assert admin.get(USERS).status_code == 200
    assert outbound_calls == []
    with pytest.raises(httpx.ConnectError):
        httpx.get("http://127.0.0.1:9/")
    assert "socket.connect" in {event for event, _ in outbound_calls}
