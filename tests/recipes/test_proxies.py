"""The recipes for nginx and Caddy, run with the real proxies."""

import shutil
from pathlib import Path

import pytest

from tests.postgres import free_port
from tests.proxy.nginx import MAIN
from tests.recipes.authorization_checks import assert_authorization_checks
from tests.recipes.bearer_checks import assert_bearer_checks
from tests.recipes.recipe import apply_changes, code_blocks, run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.recipes.upstream import run_upstream
from tests.server import Server

pytestmark = pytest.mark.recipes


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None:
        pytest.fail(f"This test needs {name}: apt-get install {package}", pytrace=False)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recipe"
    made.mkdir()
    return made


def test_nginx_recipe_accepts_only_live_tokens_and_asks_for_more(folder: Path, server: Server) -> None:
    port = free_port()
    page, *locations = code_blocks("nginx.md", "nginx")
    page = page.replace("    error_page 500", f"{''.join(locations)}    error_page 500")
    with run_upstream() as behind:
        changes = {"8000": str(server.port), "9000": str(behind), "8080": f"127.0.0.1:{port}"}
        changes["auth.example.com"] = f"127.0.0.1:{server.port}"
        (folder / "latchkey.conf").write_text(f"access_log off;\n{apply_changes(page, changes)}")
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
        command = [program("nginx", "nginx-light"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        with run_program(command, folder, port) as url:
            assert_authorization_checks(url, server)
            assert_step_up_checks(url, server, "/payments", "/payments/7", "/Payments", "//payments")
            assert_bearer_checks(url, server)


def test_caddy_recipe_accepts_only_live_tokens_and_asks_for_more(folder: Path, server: Server) -> None:
    port = free_port()
    page, *lines = code_blocks("caddy.md", "caddyfile")
    page = page.replace("\t\trequest_header -Authorization", f"{''.join(lines)}\t\trequest_header -Authorization")
    with run_upstream() as behind:
        changes = {"8000": str(server.port), "9000": str(behind), ":8080": f"http://127.0.0.1:{port}"}
        changes["auth.example.com"] = f"127.0.0.1:{server.port}"
        (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + apply_changes(page, changes))
        command = [program("caddy", "caddy"), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
        home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        with run_program(command, folder, port, **home) as url:
            assert_authorization_checks(url, server)
            assert_step_up_checks(url, server, "/payments", "/payments/7", "/Payments", "//payments")
            assert_bearer_checks(url, server)
