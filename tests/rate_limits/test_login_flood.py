"""Sixty-four sign-ins at once hold up nobody who is signed in."""

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
    """Return the peak of each process's memory, in kB."""
    lines = [Path(f"/proc/{pid}/status").read_text().splitlines() for pid in pids]
    return [int(line.split()[1]) for status in lines for line in status if line.startswith("VmHWM")]


@pytest.mark.ledger("ASVS-15.2.2", "H-INF-15", "ASVS-15.1.3")
def test_a_flood_of_sign_ins_leaves_the_rest_alive(race: OpenRace) -> None:
    with race("64 sign-ins beside refresh and me") as on, open_clients(on.server.url, FLOOD) as clients:
        people = [Person(client, f"flood.{number}@example.com").register() for number, client in enumerate(clients)]
        honest = on.person("honest").register().login()
        before = resident(on.server.worker_pids())
        over, told = threading.Event(), Counter[int]()

        def flood(person: Person) -> None:
            while not over.is_set():
                answer = person.http.post("/api/login/", json={"email": person.email, "password": PASSWORD})
                told[answer.status_code] += 1

        with ThreadPoolExecutor(FLOOD) as pool:
            timer = threading.Timer(SECONDS, over.set)
            timer.start()
            flooding = [pool.submit(flood, person) for person in people]
            while not over.is_set():
                on.start(lambda: honest.refresh() and honest.me(), lambda: httpx.get(f"{on.server.url}/livez"))
            for each in flooding:
                each.result()
        after = resident(on.server.worker_pids())
        print(f"sign-ins {dict(told)}, memory of the workers in MB {[kb // MEGABYTE for kb in after]}")
        assert set(told) <= {200, 503}
        assert told[200] > FLOOD
        assert all(now - then < 120 * MEGABYTE for now, then in zip(after, before, strict=True))
