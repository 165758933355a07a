"""Key rotation under load: a verifier knows the new key before it signs, and refuses no token."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import jwt
import pytest
from latchkey_client import LatchkeyError, Verifier

from tests.clients.python.clocks import MovedClock
from tests.clients.python.conftest import public_keys
from tests.clients.python.proxy import Proxy
from tests.people import Person
from tests.server import Server

pytestmark = pytest.mark.clients
JWKS = "/.well-known/jwks.json"
THREADS = 6
TEN_MINUTES_LATER = """
from datetime import timedelta
from latchkey.core import clock
from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.schedule import VERIFY_GRACE
*_, old, new = SigningKey.objects.order_by("number")
at = clock.now() + timedelta(seconds=2)
SigningKey.objects.filter(pk=old.pk).update(retires_at=at, verifies_until=at + VERIFY_GRACE)
SigningKey.objects.filter(pk=new.pk).update(signs_from=at)
"""
"""Moves the schedule of a rotation, as if all but the last 2 s of its 10 minutes had passed."""


class Load:
    """Threads that each refresh a session and verify its new access token, over and over."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.accepted, self.refused = Counter[str](), list[str]()
        self.changed, self.is_over = threading.Condition(), False

    def run(self, person: Person) -> None:
        while not self.is_over:
            token = person.refresh().access_token
            kid = jwt.get_unverified_header(token)["kid"]
            try:
                self.verifier.verify(token)
            except LatchkeyError as error:
                self.refused.append(f"{kid}: {error!r}")
            with self.changed:
                self.accepted[kid] += 1
                self.changed.notify_all()

    def wait(self, kid: str, count: int) -> None:
        """Wait until this many more tokens of a key were verified."""
        with self.changed:
            wanted = self.accepted[kid] + count
            assert self.changed.wait_for(lambda: self.accepted[kid] >= wanted, 30), self.accepted


@contextmanager
def run_load(verifier: Verifier, server: Server, name: str) -> Iterator[Load]:
    load = Load(verifier)
    with httpx.Client(base_url=server.url, timeout=20) as http:
        people = [Person(http, f"{name}.{number}@example.com").register().login() for number in range(THREADS)]
        threads = [threading.Thread(target=load.run, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        try:
            yield load
        finally:
            load.is_over = True
            for thread in threads:
                thread.join()


def kids(server: Server) -> set[str]:
    return {key["kid"] for key in public_keys(server)}


def wait_for_new_key(server: Server, before: set[str], within: float = 10) -> str:
    """Return the id of the key that the server publishes beside these; it reads its keys once a second."""
    deadline = time.monotonic() + within
    while not (added := kids(server) - before):
        assert time.monotonic() < deadline, before
        time.sleep(0.05)
    (new,) = added
    return new


def test_rotation_under_load_refuses_no_token_and_needs_no_fetch_for_an_unknown_key(
    latchkey: Server, proxy: Proxy, clock: MovedClock
) -> None:
    (old,) = kids(latchkey)
    verifier = Verifier(latchkey.url, url=proxy.url, clock=clock)
    with run_load(verifier, latchkey, "planned") as load:
        load.wait(old, 50)
        assert latchkey.command("keys", "rotate").returncode == 0
        new = wait_for_new_key(latchkey, {old})
        proxy.arrived.clear()
        clock.elapsed += 240
        assert proxy.arrived.wait(10)
        load.wait(old, 50)
        latchkey.shell(TEN_MINUTES_LATER)
        load.wait(new, 200)
    assert load.refused == []
    assert load.accepted[old] >= 100
    assert proxy.counts == {JWKS: 2}


def test_rotation_at_once_is_noticed_by_the_first_token_of_the_new_key(
    latchkey: Server, proxy: Proxy, clock: MovedClock
) -> None:
    verifier = Verifier(latchkey.url, url=proxy.url, clock=clock)
    before = kids(latchkey)
    with run_load(verifier, latchkey, "leaked") as load:
        assert proxy.arrived.wait(10)
        clock.elapsed += 61
        assert latchkey.command("keys", "rotate", "--now").returncode == 0
        new = wait_for_new_key(latchkey, before)
        load.wait(new, 100)
    assert load.refused == []
    assert proxy.counts == {JWKS: 2}
