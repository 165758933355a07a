"""What the fault tests share. Those for one database do not exist on the other."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.faults.clients import Client, Load
from tests.faults.verdict import evaluate
from tests.server import Server

collect_ignore_glob = ["test_sqlite_*"] if settings.DATABASE_URL else ["test_postgresql_*"]
FIGURES = "figures"


@pytest.fixture
def server_with_8_threads(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A running server with 8 threads in each worker, for when all of them will have to wait."""
    running = Server(tmp_path, database_url, threads=8)
    yield running.start()
    running.kill()


@pytest.fixture
def start_load() -> Iterator[Callable[..., Load]]:
    """Sign in many clients: loads(url, clients=16)."""
    made: list[Load] = []

    def sign_in(url: str, clients: int = 16) -> Load:
        made.append(Load(url, clients))
        return made[-1]

    yield sign_in
    for load in made:
        load.close()


@pytest.fixture
def assert_outcome(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Hold a load to its promise once it has stopped: nobody signed out, nothing forked, every answer a good one.

    Those who are beyond help may be signed out; they are counted apart.
    """

    def conclude(load: Load, server: Server, faults: str, beyond_help: Callable[[Client], bool] | None = None) -> None:
        verdict = evaluate(load, server)
        apart = [client for client in verdict.lost if beyond_help and beyond_help(client)]
        counted = f", {len(apart)} of them beyond help" if beyond_help else ""
        record_property(FIGURES, f"{faults}: {verdict}{counted}")
        assert not verdict.failures, (str(verdict), verdict.failures[:5])
        assert apart == verdict.lost, (str(verdict), [client.lost for client in verdict.lost])

    return conclude


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of each test."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for figures in (value for name, value in report.user_properties if name == FIGURES):
                terminalreporter.write_line(f"{report.location[2]}: {figures}")
