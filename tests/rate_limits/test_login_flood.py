"""A flood of 64 parallel logins does not delay other requests, and memory stays bounded."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.fixtures.races import OpenRace, open_clients
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.race
FLOOD, SECONDS = 64, 5
MEGABYTE = 1024


def resident(pids: list[int]) -> list[int]:
    """Return the peak memory of each process in kB."""
    lines = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in pids]
    return [int(line.split()[1]) for status in lines for line in status if line.startswith("VmHWM")]


@pytest.mark.ledger("ASVS-15.2.2", "H-INF-15", "ASVS-15.1.3")
def test_login_flood_does_not_block_refresh_me_or_liveness(race: OpenRace) -> None:
    with race("64 sign-ins beside refresh and me") as on, open_clients(on.server.url, FLOOD) as clients:
        people = [Person(client, f"flood.{number}@example.com").register() for number, client in enumerate(clients)]
        honest = on.person("honest").register().login()
        before = resident(on.server.worker_pids())
        over, statuses = threading.Event(), Counter[int]()

        def flood(person: Person) -> None:
            while not over.is_set():
                answer = person.http.post("/api/login/", json={"email": person.email, "password": PASSWORD})
                statuses[answer.status_code] += 1

        with ThreadPoolExecutor(FLOOD) as pool:
            timer = threading.Timer(SECONDS, over.set)
            timer.start()
            flooding = [pool.submit(flood, person) for person in people]
            while not over.is_set():
                on.start(lambda: honest.refresh() and honest.me(), lambda: httpx.get(f"{on.server.url}/livez"))
            for each in flooding:
                each.result()
        after = resident(on.server.worker_pids())
        print(f"sign-ins {dict(statuses)}, memory of the workers in MB {[kb // MEGABYTE for kb in after]}")
        assert set(statuses) <= {200, 503}
        assert statuses[200] > FLOOD
        assert all(now - then < 120 * MEGABYTE for now, then in zip(after, before, strict=True))
