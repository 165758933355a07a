"""The wheel works without the source tree: commands, templates, static files and migrations are in it."""

import re
import subprocess
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.people import Person
from tests.server import Server
from tests.support.postgres_servers import shared_directory
from tests.support.uv import run_uv

pytestmark = pytest.mark.install

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run_uv("build", "--wheel", "--out-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """A virtual environment outside the source tree with the wheel and its dependencies."""
    folder = shared_directory()
    run_uv("venv", "--allow-existing", str(folder))
    run_uv("pip", "install", str(wheel), environment=folder)
    return folder


def test_wheel_has_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    package = {path.relative_to(ROOT).as_posix() for path in (ROOT / "latchkey").rglob("*") if path.is_file()}
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {name for name in package if "__pycache__" not in name}
    assert "latchkey/py.typed" in names


def test_installed_wheel_migrates_serves_and_styles_its_pages(
    installed: Path, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.server.LATCHKEY", str(installed / "bin" / "latchkey"))
    server = Server(tmp_path, database_url, workers=1)
    imported = subprocess.run(
        [str(installed / "bin" / "python"), "-c", "import latchkey; print(latchkey.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(imported.stdout.strip()).is_relative_to(installed)
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    try:
        server.start()
        with httpx.Client(base_url=server.url, timeout=20) as http:
            alice = Person(http, "alice@example.com").register().login().refresh()
            assert (alice.me().status_code, alice.logout().status_code) == (200, 200)
            for page in ("/", "/admin/login/", "/api-doc/", "/api-doc/schema/", "/forgot-password/", "/readyz"):
                assert http.get(page).status_code == 200, page
            files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', http.get("/admin/login/").text))
            assert {"/static/latchkey/admin.css", "/static/unfold/css/styles.css"} <= files
            assert {file: http.get(file).status_code for file in files} == dict.fromkeys(files, 200)
    finally:
        server.kill()
