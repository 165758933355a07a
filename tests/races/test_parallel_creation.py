"""Parallel POST /api/users/ with one Idempotency-Key: one user, whoever comes first."""

from collections import Counter
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from tests.fixtures.races import OpenRace, open_clients
from tests.people import PASSWORD
from tests.support.simultaneous import Race

pytestmark = pytest.mark.race
ROUNDS = 50
CLIENTS = 16


class Creating:
    """Clients of a race that send POST /api/users/ with the key of an application."""

    def __init__(self, on: Race, clients: list[httpx.Client]) -> None:
        self.on, self.clients = on, clients
        self.bearer = {"Authorization": f"Bearer {on.operator('application_key', 'crm')}"}

    def send_at_once(self, key: str, emails: list[str]) -> list[httpx.Response]:
        """Create users with these addresses at once, each over a connection of its own; return the responses."""
        headers = self.bearer | {"Idempotency-Key": key}
        acts = [
            partial(client.post, "/api/users/", json={"email": email, "password": PASSWORD}, headers=headers)
            for client, email in zip(self.clients, emails, strict=False)
        ]
        return [outcome.answer for outcome in self.on.start(*acts)]

    def count(self, emails: set[str]) -> int:
        """Return how many users there are with one of these addresses."""
        return sum(int(self.on.operator("users", email)) for email in emails)


@pytest.fixture
def creating(race: OpenRace) -> Iterator[Creating]:
    with race("creation with one Idempotency-Key") as on, open_clients(on.server.url, CLIENTS) as clients:
        yield Creating(on, clients)


@pytest.mark.parametrize("count", [2, CLIENTS])
def test_parallel_creations_with_one_key_create_one_user(creating: Creating, count: int) -> None:
    for number in range(ROUNDS):
        email = f"erin.{count}.{number}@example.com"
        answers = creating.send_at_once(f"one key of {count} clients, {number}", [email] * count)
        assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == count - 1
        assert creating.count({email}) == 1
    assert creating.on.answers == {"users 201": ROUNDS * count}


@pytest.mark.parametrize("count", [2, CLIENTS])
def test_parallel_creations_of_different_users_with_one_key_create_the_first(creating: Creating, count: int) -> None:
    for number in range(ROUNDS):
        emails = [f"frank.{count}.{number}.{client}@example.com" for client in range(count)]
        answers = creating.send_at_once(f"reused by {count} clients, {number}", emails)
        assert Counter(answer.status_code for answer in answers) == {201: 1, 422: count - 1}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"idempotency_key_reused"}
        assert creating.count(set(emails)) == 1
