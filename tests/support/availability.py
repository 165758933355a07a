"""Availability of a server during a fault, as a load balancer and a client see it."""

import time

import httpx

from tests.server import Server
from tests.support.refreshing_clients import Client


def assert_alive(server: Server, within: float = 5) -> None:
    """Assert that /livez answers 200 in time, whatever the state of the database."""
    began = time.monotonic()
    assert httpx.get(f"{server.url}/livez", timeout=20).status_code == 200
    assert time.monotonic() - began < within, f"/livez took {time.monotonic() - began:.1f} s"


def assert_alive_for(server: Server, seconds: float, within: float) -> float:
    """Assert for this many seconds that /livez answers 200; return its longest response time in seconds."""
    slowest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        assert_alive(server, within)
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.1)
    return slowest


def assert_unavailable(answer: httpx.Response, within: float = 5) -> None:
    """Assert that the response is a 503 in time, with Retry-After."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert answer.json()["code"] == "unavailable"
    assert answer.elapsed.total_seconds() < within, f"{answer.url} took {answer.elapsed.total_seconds():.1f} s"


def send_refresh(client: Client) -> httpx.Response:
    """Send a refresh with the token of a client, which does not see the response, as if it were lost."""
    return client.send()


def lose_responses(clients: list[Client]) -> None:
    """Refresh with the tokens of these clients without letting them see the responses."""
    for client in clients:
        assert send_refresh(client).status_code == 200
