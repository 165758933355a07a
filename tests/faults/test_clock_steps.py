"""Steps of the clock under load, 5 minutes back or 1 hour ahead, sign nobody out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server import Server
from tests.support.availability import lose_responses
from tests.support.refreshing_clients import Client, Load

pytestmark = pytest.mark.fault
BACK, AHEAD = -300, 3600


class MovedServer(Server):
    """A server with a clock that is off by a number of seconds."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.off = folder / "clock"
        self.step(0)
        modules = str(Path(__file__).with_name("moved_clock"))
        super().__init__(folder, database_url, PYTHONPATH=modules, LATCHKEY_TESTS_CLOCK=str(self.off))

    def step(self, seconds: float) -> None:
        draft = self.off.with_suffix(".draft")
        draft.write_text(str(seconds))
        draft.replace(self.off)  # whole: every process reads either the old value or the new one


@pytest.fixture
def moved_server(tmp_path: Path, database_url: str) -> Iterator[MovedServer]:
    running = MovedServer(tmp_path, database_url)
    running.start()
    yield running
    running.kill()


@pytest.mark.ledger("H-TIME-03")
def test_clock_steps_under_load_sign_nobody_out(
    moved_server: MovedServer, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    with start_load(moved_server.url) as load:
        for off in (0, BACK, 0, AHEAD, 0):
            moved_server.step(off)
            load.wait_for_refreshes(200)
    assert_outcome(load, moved_server, "4 steps of the clock")


def has_no_key(client: Client) -> bool:
    return not client.has_key


def test_refresh_retry_after_a_clock_step_back_gets_its_successor_with_its_key(
    moved_server: MovedServer, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(moved_server.url)
    lose_responses(load.clients)
    moved_server.step(BACK)
    assert_outcome(load, moved_server, "a step back during 16 retries", beyond_help=has_no_key)


def test_refresh_retry_after_a_clock_step_ahead_gets_its_successor_with_its_key(
    moved_server: MovedServer, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(moved_server.url)
    lose_responses(load.clients)
    moved_server.step(AHEAD)
    assert_outcome(load, moved_server, "a step ahead during 16 retries", beyond_help=has_no_key)
