"""The tests in clients/typescript/test, which run in Node against a real server."""

from pathlib import Path

import pytest

from tests.clients.typescript.app_server import AppServer
from tests.clients.typescript.conftest import run
from tests.server import Server

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("name", ["client", "refresh", "react", "server"])
def test_client_keeps_its_rules_in_node(package: Path, server: Server, app: AppServer, name: str) -> None:
    environment = {"LATCHKEY_URL": server.url, "APP_ORIGIN": app.url}
    run("node", "--test", f"test/{name}.test.mjs", cwd=package, timeout=120, **environment)
