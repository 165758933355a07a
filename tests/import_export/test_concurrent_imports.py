"""Imports concurrent with each other and with registrations."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.server import Server

COUNT = 5_000


def start_import(server: Server, *options: str) -> "subprocess.Popen[bytes]":
    return server.spawn("users", "import", "all.jsonl", *options, output=subprocess.PIPE)


def count_added(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a successful import; return how many users it added."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    words = output.decode().splitlines()[-1].split()
    assert int(words[0]) + int(words[2]) == COUNT
    return int(words[0])


@pytest.fixture
def file(server: Server) -> Path:
    path = server.folder / "all.jsonl"
    lines = (f'{{"email": "user.{n}@example.com", "id": {n + 10}, "password_hash": "!"}}\n' for n in range(COUNT))
    path.write_text("".join(lines))
    return path


@pytest.mark.race
def test_two_concurrent_imports_of_one_file_add_each_user_once(server: Server, file: Path) -> None:
    processes = [start_import(server) for _ in range(2)]
    assert sum(map(count_added, processes)) == COUNT
    assert server.shell("print(User.objects.filter(email__startswith='user.').count())") == str(COUNT)


@pytest.mark.race
def test_register_during_an_import_that_keeps_ids_gets_a_unique_id(server: Server, file: Path) -> None:
    server.raise_address_limits()
    with httpx.Client(base_url=server.url, timeout=30) as http:
        process = start_import(server, "--keep-ids")
        people: list[Person] = []
        while process.poll() is None:
            people.append(Person(http, f"person.{len(people)}@example.com").register())
        output, errors = process.communicate()
        taken = int(output.decode().splitlines()[-1].split()[-2])  # by people who were faster
        assert process.returncode == (1 if taken else 0), errors.decode()
        assert len(people) > 3
        assert len({person.id for person in people}) == len(people)
        for person in people[:3] + people[-3:]:
            assert person.login().me().json()["id"] == person.id
    found = server.shell("print(User.objects.filter(email__startswith='user.').count())")
    assert int(found) == COUNT - taken
