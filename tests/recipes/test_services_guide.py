"""The services of docs/guides/services.md, run unchanged with the Python client."""

import shlex
import subprocess
import sys
from pathlib import Path

import httpx

from tests.people import Person
from tests.postgres import free_port
from tests.recipes.conftest import Launch
from tests.recipes.recipe import add_credential, run_program
from tests.recipes.snippets import named_blocks
from tests.server import Server

GUIDE = "guides/services.md"
PYTHON_CLIENT = str(Path(__file__).parents[2] / "clients" / "python" / "src")


def uvicorn(module: str, port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port)]


def test_api_of_the_services_guide_asks_for_sign_in_role_and_second_factor(tmp_path: Path, server: Server) -> None:
    (tmp_path / "api.py").write_text(named_blocks(GUIDE)["api.py"])
    port = free_port()
    environment = {**add_credential(server), "PYTHONPATH": PYTHON_CLIENT}
    with (
        run_program(uvicorn("api", port), tmp_path, port, **environment) as url,
        httpx.Client(base_url=server.url) as http,
    ):
        bob = Person(http, "bob@example.com").register().login()
        assert httpx.get(f"{url}/notes").status_code == 401
        assert httpx.get(f"{url}/notes", headers=bob.bearer()).json() == {"owner": str(bob.id)}
        assert httpx.delete(f"{url}/notes", headers=bob.bearer()).status_code == 403
        assert server.command("roles", "add", "editor").returncode == 0
        assert server.command("roles", "grant", "editor", bob.email).returncode == 0
        bob.login()
        assert httpx.delete(f"{url}/notes", headers=bob.bearer()).json() == {"deleted_by": str(bob.id)}
        weak = httpx.post(f"{url}/payments", headers=bob.bearer())
        assert weak.status_code == 401
        assert "insufficient_user_authentication" in weak.headers["WWW-Authenticate"]


def test_job_of_the_services_guide_calls_a_service_that_asks_for_its_scope(tmp_path: Path, launch: Launch) -> None:
    server, port, files = launch(), free_port(), named_blocks(GUIDE)
    (tmp_path / "reports.py").write_text(files["reports.py"])
    text = (Path(__file__).parents[2] / "docs" / GUIDE).read_text()
    printed = ""
    for line in text.splitlines():
        if line.startswith((".venv/bin/latchkey scopes", ".venv/bin/latchkey applications")):
            done = server.command(*shlex.split(line)[1:])
            assert done.returncode == 0, done.stderr
            printed = done.stdout
    environment = {**add_credential(server), "PYTHONPATH": PYTHON_CLIENT}
    with run_program(uvicorn("reports", port), tmp_path, port, **environment) as url:
        environment |= {"LATCHKEY_CLIENT_ID": "jobs", "LATCHKEY_CLIENT_SECRET": printed.split()[-1], "REPORTS_URL": url}
        job = subprocess.run(
            [sys.executable, "-c", files["jobs.py"]],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (job.stdout, job.stderr) == ("{'reader': 'jobs'}\n", "")
