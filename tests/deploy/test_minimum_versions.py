"""The lowest versions that pyproject.toml allows: Latchkey works with them, and none has a known vulnerability."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from tests.deploy.test_dependencies import FLOORS, version_numbers
from tests.people import Person
from tests.server import Server
from tests.support.postgres_servers import shared_directory

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = dict(
    re.findall(r"^([\w-]+)(?:\[.*\])?>=([\d.]+)", requirement)[0]
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
)


@pytest.mark.ledger("REG-DJANGO-10", "ASVS-15.2.1")
@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_minimum_version_of_a_dependency_includes_its_last_security_fix(name: str, floor: str) -> None:
    assert version_numbers(ALLOWED[name]) >= version_numbers(floor)


@pytest.fixture(scope="module")
def lowest() -> Path:
    """A virtual environment with Latchkey and its direct dependencies at their lowest versions."""
    folder = shared_directory()
    uv = str(ROOT / ".venv" / "bin" / "uv")
    environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
    for command in (
        ["venv", "--allow-existing", str(folder)],
        ["pip", "install", "--resolution", "lowest-direct", "."],
    ):
        done = subprocess.run(
            [uv, *command, "--quiet"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.install
@pytest.mark.ledger("ASVS-15.2.1")
def test_server_works_with_the_lowest_allowed_versions(
    lowest: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = [
        str(ROOT / ".venv" / "bin" / "uv"),
        "pip",
        "freeze",
        "--python",
        str(lowest / "bin" / "python"),
        "--quiet",
    ]
    installed = subprocess.run(frozen, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()
    versions = dict(line.split("==") for line in installed if "==" in line)
    assert {name: version_numbers(versions[name])[: len(version_numbers(low))] for name, low in ALLOWED.items()} == {
        name: version_numbers(low) for name, low in ALLOWED.items()
    }
    monkeypatch.setattr("tests.server.LATCHKEY", str(lowest / "bin" / "latchkey"))
    server = Server(tmp_path, database_url)
    try:
        server.start()
        with httpx.Client(base_url=server.url, timeout=20) as http:
            alice = Person(http, "alice@example.com").register().login().refresh()
            assert (alice.me().status_code, alice.logout().status_code) == (200, 200)
            for page in ("/admin/login/", "/api-doc/", "/api-doc/schema/", "/readyz"):
                assert http.get(page).status_code == 200, page
        assert server.command("check").returncode == 0
    finally:
        server.kill()
