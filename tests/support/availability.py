"""What a load balancer and a person see of a server while something is broken."""

import time

import httpx

from tests.server import Server
from tests.support.refreshing_clients import Client


def assert_alive(server: Server, within: float = 5) -> None:
    """Hold /livez to its promise: 200 whatever the database does."""
    began = time.monotonic()
    assert httpx.get(f"{server.url}/livez", timeout=20).status_code == 200
    assert time.monotonic() - began < within, f"/livez took {time.monotonic() - began:.1f} s"


def assert_alive_for(server: Server, seconds: float, within: float) -> float:
    """Hold /livez to its promise for so long; return the longest wait for it, in seconds."""
    slowest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        assert_alive(server, within)
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.1)
    return slowest


def assert_unavailable(answer: httpx.Response, within: float = 5) -> None:
    """Hold a refusal for want of a database to its promise: 503, soon, and when to come again."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert answer.json()["code"] == "unavailable"
    assert answer.elapsed.total_seconds() < within, f"{answer.url} took {answer.elapsed.total_seconds():.1f} s"


def send_refresh(client: Client) -> httpx.Response:
    """Ask with a client's token behind its back, as if the answer were lost."""
    return client.http.post("/api/refresh/", json={"refresh_token": client.token})


def lose_responses(clients: list[Client]) -> None:
    """Have these clients' tokens spent without the clients hearing of it."""
    for client in clients:
        assert send_refresh(client).status_code == 200
