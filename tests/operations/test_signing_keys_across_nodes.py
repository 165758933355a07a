"""Signing keys of several nodes as real processes on one database: start, switch of algorithm, rotation, retirement."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import jwt
import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.server import Server

SECRET = "the-one-secret-that-every-node-of-this-test-has-been-given-0123456789"
DEADLINE_SECONDS = 2.0
"""Seconds within which every process refuses a retired key."""
CONNECTIONS = 24
"""Enough to reach both of two workers, except once in eight million runs."""

TEN_MINUTES_PASS = """
from datetime import timedelta
from django.db.models import F
from latchkey.signing_keys.models import SigningKey
SigningKey.objects.update(**{name: F(name) - timedelta(minutes=10) for name in ("signs_from", "retires_at")})
"""
"""Simulates that ten minutes pass for the key set: moves all its times ten minutes back."""

Nodes = Callable[..., list[Server]]


@pytest.fixture
def nodes(tmp_path: Path, database_url: str) -> Iterator[Nodes]:
    """Make nodes on one database, not started: nodes(2, workers=1, LATCHKEY_SIGNING_ALGORITHM="EdDSA")."""
    url, made = database_url or f"sqlite:///{tmp_path / 'shared.sqlite3'}", list[Server]()

    def make(count: int, workers: int = 1, **environment: str) -> list[Server]:
        given: dict[str, Any] = {"LATCHKEY_SECRET_KEY": SECRET} | environment
        made.extend(Server(tmp_path / f"node{n}", url, workers, **given) for n in range(count))
        migrated = made[0].command("migrate", "--verbosity", "0")
        assert migrated.returncode == 0, migrated.stderr
        return made

    yield make
    for node in made:
        if node.process:
            node.kill()


def keys(node: Server, *arguments: str) -> str:
    done = node.command("keys", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def listed(node: Server) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(keys(node, "list", "--json"))
    return found


def switch_algorithm(node: Server, algorithm: str) -> None:
    """Restart a node with another algorithm."""
    node.stop()
    node.environment["LATCHKEY_SIGNING_ALGORITHM"] = algorithm
    node.restart()


def algorithm_of(person: Person) -> str:
    return str(jwt.get_unverified_header(person.access_token)["alg"])


def assert_accepted_everywhere(person: Person, nodes: list[Server]) -> bool:
    headers = person.bearer()
    return [httpx.get(f"{node.url}/api/me/", headers=headers).status_code for node in nodes] == [200] * len(nodes)


def test_nodes_that_start_together_create_one_signing_key_and_one_superuser(nodes: Nodes) -> None:
    three = nodes(3, LATCHKEY_SIGNING_ALGORITHM="RS256")
    with ThreadPoolExecutor(3) as at_once:
        list(at_once.map(lambda node: node.restart(60), three))
    assert three[0].shell("print(User.objects.filter(is_superuser=True).count())") == "1"
    (key,) = listed(three[0])
    assert (key["algorithm"], key["state"]) == ("RS256", "signing")
    assert {httpx.get(f"{node.url}/.well-known/jwks.json").json()["keys"][0]["kid"] for node in three} == {key["kid"]}


@pytest.mark.fault
def test_switching_the_signing_algorithm_node_by_node_refuses_no_token(nodes: Nodes) -> None:
    first, second = both = nodes(2)
    for node in both:
        node.restart()
    with httpx.Client(base_url=first.url) as one, httpx.Client(base_url=second.url) as other:
        alice = Person(one, "alice@example.com").register().login()
        bob = Person(other, "bob@example.com").register().login()
        signed = []
        steps = [(first, "EdDSA"), (second, "EdDSA"), (first, "ES256"), (second, "ES256"), (first, "HS256")]
        for step in [None, *steps]:
            held = [alice.access_token, bob.access_token]
            if step:
                switch_algorithm(*step)
            assert assert_accepted_everywhere(alice, both)
            assert assert_accepted_everywhere(bob, both)
            signed.append((algorithm_of(alice.refresh()), algorithm_of(bob.refresh())))
            assert assert_accepted_everywhere(alice, both)
            assert assert_accepted_everywhere(bob, both)
            assert held != [alice.access_token, bob.access_token]
    assert signed == [
        *[("HS256", "HS256"), ("EdDSA", "HS256"), ("EdDSA", "EdDSA")],
        *[
            ("EdDSA", "EdDSA"),
            ("EdDSA", "EdDSA"),
            ("HS256", "EdDSA"),
        ],  # the ES256 key is published for 10 minutes first
    ]
    assert [(key["algorithm"], key["state"]) for key in listed(second)] == [("EdDSA", "signing"), ("ES256", "upcoming")]


@pytest.mark.ledger("H-INF-13")
def test_retired_signing_key_is_refused_by_every_worker_within_2_s(nodes: Nodes) -> None:
    (node,) = nodes(1, workers=2, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    node.restart()

    def statuses(person: Person) -> set[int]:
        fresh = (httpx.get(f"{node.url}/api/me/", headers=person.bearer()) for _ in range(CONNECTIONS))
        return {answer.status_code for answer in fresh}

    with httpx.Client(base_url=node.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        (first,) = listed(node)
        keys(node, "rotate", "--now")
        assert statuses(alice) == {200}
        keys(node, "retire", first["kid"], "--yes")
        time.sleep(DEADLINE_SECONDS)  # the documented time
        assert statuses(alice) == {401}
        assert_problem(alice.me(), 401, "invalid_token")
        assert statuses(alice.refresh()) == {200}
    assert [key["kid"] for key in httpx.get(f"{node.url}/.well-known/jwks.json").json()["keys"]] != [first["kid"]]


def test_serve_names_the_signing_key_that_it_cannot_decrypt(nodes: Nodes) -> None:
    (node,) = nodes(1, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    node.restart()
    node.stop()
    node.environment["LATCHKEY_SECRET_KEY"] = SECRET[::-1]
    done = node.command("serve", "--port", str(node.port))
    assert done.returncode == 2
    assert done.stderr.startswith(f"latchkey: The signing key {listed(node)[0]['kid']} cannot be decrypted: ")
    assert len(done.stderr.splitlines()) == 1
    node.environment["LATCHKEY_SECRET_KEY_FALLBACKS"] = SECRET
    node.restart()
    node.stop()
    del node.environment["LATCHKEY_SECRET_KEY_FALLBACKS"]
    node.restart()


class Verifiers:
    """Clients that refresh at one node and use the token at all nodes, and a service that verifies it with the JWKS."""

    def __init__(self, nodes: list[Server], clients: int) -> None:
        self.nodes, self.counts, self.stopping = nodes, Counter[str](), Event()
        self.published: jwt.PyJWKClient | None = None
        self.threads = [Thread(target=self.run, args=(f"alice{n}@example.com",), daemon=True) for n in range(clients)]

    def __enter__(self) -> "Verifiers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(30)

    def run(self, email: str) -> None:
        with httpx.Client(base_url=self.nodes[0].url, timeout=20) as http:
            alice = Person(http, email).register().login()
            for node in cycle(self.nodes):
                if self.stopping.is_set():
                    return
                answer = http.post(f"{node.url}/api/refresh/", json={"refresh_token": alice.refresh_token})
                self.counts[f"refresh {answer.status_code}"] += 1
                alice.access_token, alice.refresh_token = answer.json().values()
                for other in self.nodes:
                    me = http.get(f"{other.url}/api/me/", headers=alice.bearer())
                    self.counts[f"me {me.status_code}"] += 1
                if self.published:
                    self.verify(alice.access_token, self.published)

    def fetch(self) -> None:
        """Fetch the JWKS and keep a copy; unlike PyJWT's default it is not refetched."""
        url = f"{self.nodes[0].url}/.well-known/jwks.json"
        published = jwt.PyJWKClient(url, timeout=20, cooldown_duration=3600)
        published.fetch_data()
        self.published = published

    def verify(self, token: str, published: jwt.PyJWKClient) -> None:
        """Verify as a service does: by the `kid` in its copy of the JWKS, with one of the expected algorithms."""
        try:
            key = published.get_signing_key_from_jwt(token)
            jwt.decode(token, key, ["EdDSA", "ES256"], audience="latchkey", leeway=10)
            self.counts[f"elsewhere by {key.algorithm_name}"] += 1
        except jwt.PyJWTError as error:
            self.counts[f"elsewhere refused: {type(error).__name__}"] += 1

    def wait_for(self, count: int, within: float = 60) -> None:
        """Wait for this number of further refreshes."""
        enough, until = self.counts["refresh 200"] + count, time.monotonic() + within
        while self.counts["refresh 200"] < enough:
            assert time.monotonic() < until, self.counts
            time.sleep(0.05)


@pytest.mark.fault
@pytest.mark.ledger("H-INF-13", "ASVS-11.2.2")
def test_signing_key_rotations_under_load_on_two_nodes_refuse_no_token(
    nodes: Nodes, record_property: Callable[[str, object], None]
) -> None:
    both = nodes(2, workers=2, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    for node in both:
        node.restart()
    load = Verifiers(both, clients=6)
    load.fetch()
    with load:
        load.wait_for(100)
        for algorithm in ("EdDSA", "ES256"):
            both[1].environment["LATCHKEY_SIGNING_ALGORITHM"] = algorithm
            keys(both[1], "rotate")
            load.wait_for(100)
            load.fetch()  # as every service does within the ten minutes
            both[0].shell(TEN_MINUTES_PASS)
            load.wait_for(200)
        load.published = None  # a key that signs at once cannot have been fetched before
        keys(both[1], "rotate", "--now")
        load.wait_for(200)
    record_property("figures", f"2 planned rotations, 1 at once: {dict(load.counts)}")
    assert set(load.counts) == {"refresh 200", "me 200", "elsewhere by EdDSA", "elsewhere by ES256"}
    assert [key["state"] for key in listed(both[0])] == ["retiring", "retiring", "retiring", "signing"]
