"""Which database the tests run on: a pytest plugin, loaded before Django reads its settings.

`pytest --database postgresql` starts a real PostgreSQL out of the embedded package; it ends with the run.
"""

import argparse
import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.postgres import Postgres


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite", help="where the tests run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests that are about PostgreSQL alone when the tests run on SQLite."""
    if config.option.database == "sqlite":
        deselected = [item for item in items if item.get_closest_marker("postgresql")]
        items[:] = [item for item in items if item not in deselected]
        config.hook.pytest_deselected(items=deselected)


def _configure_environment() -> None:
    """Point the environment at a database of this run; the workers of a parallel run inherit it."""
    reader = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    reader.add_argument("--database", default="sqlite")
    chosen = reader.parse_known_args(sys.argv[1:])[0].database
    if "LATCHKEY_TESTS_IN" in os.environ:
        return
    folder = Path(tempfile.mkdtemp(prefix="latchkey-tests-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ.update(LATCHKEY_TESTS_IN=str(folder), LATCHKEY_DATA_DIR=str(folder / "var"), TZ="UTC")
    if chosen == "postgresql":
        os.environ["DATABASE_URL"] = start_postgresql(folder / "postgresql")
    else:
        os.environ.pop("DATABASE_URL", None)


def start_postgresql(folder: Path) -> str:
    """Start a server that ends with this process; return its URL."""
    server = Postgres(folder).create().start()
    atexit.register(server.stop, "immediate")
    return server.url


_configure_environment()
