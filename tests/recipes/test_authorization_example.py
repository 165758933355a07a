"""The worked example of docs/authorization.md: its commands and its two services, run as they stand on the page."""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.people import Person
from tests.postgres import free_port
from tests.recipes.recipe import run_program
from tests.server import Server

PAGE = Path(__file__).parents[2] / "docs" / "authorization.md"

pytestmark = pytest.mark.recipes


def block(heading: str) -> str:
    """Return the code block that begins with this line."""
    (text,) = re.findall(rf"^```{re.escape(heading)}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(text)


@pytest.fixture
def people(tmp_path: Path, database_url: str) -> Iterator[tuple[Server, dict[str, Person], str]]:
    """Two people with their roles, and the secret of the application that the commands print."""
    running = Server(tmp_path, database_url, LATCHKEY_SIGNING_ALGORITHM="RS256")
    running.environment["LATCHKEY_PUBLIC_URL"] = running.url  # the issuer, as both services see it
    running.start(60)
    with httpx.Client(base_url=running.url) as http:
        found = {name: Person(http, f"{name}@example.com").register() for name in ("erin", "victor")}
        secret = ""
        for line in block("sh").splitlines():
            done = running.command(*shlex.split(line)[1:])
            assert done.returncode == 0, (line, done.stderr)
            secret = done.stdout.split()[-1] if "applications add" in line else secret
        yield running, found, secret
    running.kill()


def test_worked_example_answers_as_its_table_says(
    tmp_path: Path, people: tuple[Server, dict[str, Person], str]
) -> None:
    latchkey, named, secret = people
    ports = {"statistics_service": free_port(), "articles": free_port()}
    environment = {"LATCHKEY_URL": latchkey.url, "LATCHKEY_CLIENT_ID": "articles", "LATCHKEY_CLIENT_SECRET": secret}
    environment |= {"STATISTICS_URL": f"http://127.0.0.1:{ports['statistics_service']}"}
    with ExitStack() as stack:
        for name, port in ports.items():
            (tmp_path / name).mkdir()
            (tmp_path / name / f"{name}.py").write_text(block(f"python {name}.py"))
            command = [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", str(port)]
            stack.enter_context(run_program(command, tmp_path / name, port, **environment))
        articles, statistics = (f"http://127.0.0.1:{ports[name]}" for name in ("articles", "statistics_service"))
        erin, victor = named["erin"].login().bearer(), named["victor"].login().bearer()
        written = httpx.post(f"{articles}/articles", headers=erin)
        assert (written.status_code, written.json()) == (
            201,
            {"author": str(named["erin"].id), "counted_by": "articles"},
        )
        assert httpx.post(f"{articles}/articles", headers=victor).status_code == 403
        assert httpx.get(f"{articles}/articles", headers=victor).status_code == 200
        assert httpx.get(f"{articles}/articles").status_code == 401
        assert httpx.post(f"{statistics}/counts", headers=erin).status_code == 401
        assert latchkey.command("roles", "revoke", "editor", "erin@example.com").returncode == 0
        assert httpx.post(f"{articles}/articles", headers=erin).status_code == 403
