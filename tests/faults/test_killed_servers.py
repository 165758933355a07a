"""A server that is killed or restarted under load signs nobody out."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.server import Server
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.fault


def stop(server: Server) -> None:
    assert server.stop() == 0


@pytest.mark.parametrize("end", [Server.kill, stop], ids=["killed", "stopped"])
def test_server_killed_or_stopped_and_restarted_under_load_signs_nobody_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None], end: Callable[[Server], None]
) -> None:
    with start_load(server.url) as load:
        for _ in range(3):
            load.wait_for_refreshes(100)
            end(server)
            server.restart()
        load.wait_for_refreshes(100)
    assert_outcome(load, server, "3 ends of the server")


def test_killed_main_process_ends_its_workers_and_signs_nobody_out(
    server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    with start_load(server.url) as load:
        load.wait_for_refreshes(100)
        main = server.process
        assert main
        main.kill()
        main.wait(10)
        try:
            load.wait_for_responses("none", 16)  # left alone, the workers would hold the port against the next server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(main.pid, signal.SIGKILL)
        server.restart()
        load.wait_for_refreshes(100)
    assert_outcome(load, server, "the main process killed")
