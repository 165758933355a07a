"""Many connections: idle ones delay no other client, and concurrent clients get their own responses."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.people import Person
from tests.server import Server
from tests.support.http_connection import Connection

PROMPT_SECONDS = 1.0
"""Maximum seconds of a complete request while slow clients are connected."""


def assert_prompt(served: Server, person: Person) -> None:
    for path in ("/livez", "/api/me/") * 5:
        start = time.monotonic()
        answer = httpx.get(f"{served.url}{path}", headers=person.bearer(), timeout=PROMPT_SECONDS)
        assert answer.status_code == 200
        assert time.monotonic() - start < PROMPT_SECONDS


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET /livez HTTP/1.1\r\nHo", b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "]
)
def test_200_incomplete_requests_do_not_delay_other_clients(
    open_connection: Callable[[], Connection], http_server: Server, alice: Person, sent: bytes
) -> None:
    slow = [open_connection().send(sent) for _ in range(200)]
    assert_prompt(http_server, alice)
    for connection in slow[::20]:  # a byte more, and they are still not done
        connection.send(b"x")
    assert_prompt(http_server, alice)


@pytest.mark.ledger("ASVS-15.4.1")
def test_concurrent_clients_get_their_own_responses(http_server: Server, client: httpx.Client) -> None:
    people = [Person(client, f"crowd{number}@example.com").register().login() for number in range(8)]

    def act(person: Person) -> None:
        with httpx.Client(base_url=http_server.url) as person.http:
            for round_number in range(10):
                name = f"{person.email} {round_number}"
                renamed = person.http.patch("/api/me/", json={"username": name}, headers=person.bearer())
                assert renamed.json() == {"id": person.id, "username": name, "email": person.email}
                assert person.refresh().me().json() == renamed.json()
                if round_number % 5 == 0:
                    assert person.login().me().json() == renamed.json()

    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(act, people))
    assert len({person.refresh_token for person in people}) == len(people)
