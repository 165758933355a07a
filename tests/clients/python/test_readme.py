"""The examples of the package's README.md, run as they stand there, and its table of errors."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import latchkey_client
import pytest
from latchkey_client import LatchkeyError

from tests.clients.python.conftest import PACKAGE, add_client
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.recipe import run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.server import Server

pytestmark = pytest.mark.clients
README = (PACKAGE / "README.md").read_text()
FASTAPI, _, CALLER = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
"""The example between them is run in test_installed_package.py, where Flask is installed."""

SOURCE = str(PACKAGE / "src")


def test_example_for_fastapi_protects_its_routes(
    tmp_path: Path, latchkey: Server, people: dict[str, Person], others: dict[str, str]
) -> None:
    (tmp_path / "app.py").write_text(FASTAPI)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, tmp_path, port, PYTHONPATH=SOURCE, LATCHKEY_ISSUER=latchkey.url) as url:
        alice, bob = (people[name].login() for name in ("alice", "bob"))
        assert httpx.get(f"{url}/hello", headers=bob.bearer()).json() == {"user": str(bob.id)}
        assert httpx.get(f"{url}/articles", headers=alice.bearer()).json() == {"editor": str(alice.id)}
        assert httpx.get(f"{url}/articles", headers=bob.bearer()).status_code == 403
        assert httpx.get(f"{url}/hello").status_code == 401
        assert "HTTPBearer" in httpx.get(f"{url}/openapi.json").json()["components"]["securitySchemes"]
        assert_step_up_checks(url, latchkey, "/payments")


def test_example_that_calls_another_service_gets_its_answer(
    tmp_path: Path, latchkey: Server, others: dict[str, str]
) -> None:
    resource = "https://reports.example.com/"
    secret = add_client(latchkey, "caller", "--scope", "reports:read", "--resource", resource)
    (tmp_path / "app.py").write_text(
        FASTAPI.replace('ISSUER"])', f'ISSUER"], "{resource}")')
        + '\n\n@app.get("/reports")\n'
        + 'async def reports(caller: Annotated[Claims, Depends(require(verifier, scope="reports:read"))]) -> str:\n'
        + "    return caller.subject\n"
    )
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, tmp_path, port, PYTHONPATH=SOURCE, LATCHKEY_ISSUER=latchkey.url) as url:
        environment = {"PYTHONPATH": SOURCE, "LATCHKEY_URL": latchkey.url, "REPORTS_URL": url}
        environment |= {"LATCHKEY_CLIENT_ID": "caller", "LATCHKEY_CLIENT_SECRET": secret}
        done = subprocess.run(
            [sys.executable, "-c", CALLER], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert (done.stdout, done.stderr) == ("caller\n", "")


def test_table_of_errors_has_every_error_with_its_status() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| (\d{3}|none)", README.partition("## Errors")[2], re.MULTILINE))
    named = {name: getattr(latchkey_client, name) for name in latchkey_client.__all__}
    errors = {name: each for name, each in named.items() if isinstance(each, type) and issubclass(each, LatchkeyError)}
    statuses = {name: str(each.status) for name, each in errors.items() if each is not LatchkeyError}
    assert listed == statuses | {"OAuthError": "none"}
