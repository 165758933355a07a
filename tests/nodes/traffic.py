"""Load of two kinds of clients: some refresh all the time, others register, sign in, use the API and sign out."""

import threading
from collections import Counter
from typing import Self

import httpx
import psycopg

from tests.people import Person
from tests.proxy.tls_client import ProxyAddress, proxy_client
from tests.support.refreshing_clients import Load


class VirtualUser:
    """A user who registers, signs in, reads, writes and signs out in a loop, and counts failures."""

    def __init__(self, http: httpx.Client, name: str) -> None:
        self.http, self.name = http, name
        self.http.timeout = httpx.Timeout(20)
        self.statuses: Counter[str] = Counter()
        http.event_hooks["response"] = [self._count_response]

    def _count_response(self, answer: httpx.Response) -> None:
        request = answer.request
        if answer.is_success:
            self.statuses["good"] += 1
        else:
            self.statuses[f"{request.method} {request.url.path} {answer.status_code}"] += 1

    def visit(self, number: int) -> None:
        person = Person(self.http, f"{self.name}{number}@example.com")
        try:
            person.register().login().refresh().me()
            self.http.patch("/api/me/", json={"username": "B"}, headers=person.bearer())
            person.logout()
        except AssertionError:
            pass  # the status has been counted
        except httpx.TransportError as error:
            self.statuses[type(error).__name__] += 1


class Traffic:
    """The load of tests.faults and two virtual users through the proxy, as a context manager."""

    def __init__(self, proxy: ProxyAddress) -> None:
        self.load = Load(f"https://127.0.0.1:{proxy.https}", connect=lambda url: proxy_client(proxy))
        self.users = [VirtualUser(proxy_client(proxy), name) for name in ("bob", "carol")]
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._run, args=(one,)) for one in self.users]
        for thread in self._threads:
            thread.start()
        self.load.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self.load.__exit__(*error)
        for thread in self._threads:
            thread.join(30)

    def delete_leftover_sessions(self, database_url: str) -> None:
        """Delete the sessions that virtual users left open after a failure."""
        with psycopg.connect(database_url) as connection:
            visitors = "u.email LIKE 'bob%' OR u.email LIKE 'carol%'"
            connection.execute(
                f"DELETE FROM latchkey_session s USING latchkey_user u WHERE u.id = user_id AND ({visitors})"
            )

    def close(self) -> None:
        self.load.close()
        for user in self.users:
            user.http.close()

    def _run(self, user: VirtualUser) -> None:
        number = 0
        while not self._stopping.wait(0.05):
            number += 1
            user.visit(number)

    def failed_requests(self) -> Counter[str]:
        """Return the counts of all responses but successes, by kind."""
        counts = sum((user.statuses for user in self.users), Counter[str]()) + self.load.statuses()
        return Counter({what: count for what, count in counts.items() if what not in ("good", "200")})
