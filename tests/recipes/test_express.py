"""The recipe for Express, run with the real framework on Node."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.postgres import free_port
from tests.recipes.authorization_checks import AUDIENCE, assert_authorization_checks
from tests.recipes.bearer_checks import assert_bearer_checks
from tests.recipes.jwks_checks import assert_tokens_are_verified, use_key_pair
from tests.recipes.recipe import add_credential, code_blocks, run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.server import Server

pytestmark = pytest.mark.recipes
HERE = Path(__file__).parent / "express"


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The path of Node, and a folder with the packages of package-lock.json."""
    found = {name: shutil.which(name) for name in ("node", "npm")}
    if not all(found.values()):
        pytest.fail("This test needs Node 20 or newer, with npm", pytrace=False)
    folder = tmp_path_factory.mktemp("express")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    installing = [str(found["npm"]), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(installing, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert installed.returncode == 0, installed.stderr
    return str(found["node"]), folder


def test_express_recipe_accepts_only_live_tokens_by_introspection_and_asks_for_more(
    node: tuple[str, Path], server: Server
) -> None:
    program, folder = node
    port = free_port()
    (folder / "app.mjs").write_text("".join(code_blocks("express.md", "javascript")))
    environment = {"PORT": str(port), "LATCHKEY_AUDIENCE": AUDIENCE, **add_credential(server)}
    with run_program([program, "app.mjs"], folder, port, **environment) as url:
        assert_authorization_checks(url, server)
        assert_step_up_checks(url, server, "/payments", "/Payments")
        assert_bearer_checks(url, server)


def test_express_jwks_recipe_verifies_tokens_locally(node: tuple[str, Path], server: Server) -> None:
    program, folder = node
    port = free_port()
    (folder / "app.mjs").write_text("".join(code_blocks("express_jwks.md", "javascript")))
    environment = {"PORT": str(port), "LATCHKEY_AUDIENCE": AUDIENCE, **use_key_pair(server)}
    with run_program([program, "app.mjs"], folder, port, **environment) as url:
        assert_tokens_are_verified(url, server)
