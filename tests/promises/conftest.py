"""What the promises share: operators, a log in its production form, and addresses that nobody must call."""

import logging
import socket
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
import structlog

from latchkey.telemetry.logging import is_third_party, logging_config
from tests.admin.conftest import admin, staff
from tests.api.conftest import clock
from tests.attacks.conftest import database_down
from tests.promises.lines import CapturedLog

__all__ = ["admin", "database_down", "clock", "staff"]


@pytest.fixture
def captured_log() -> Iterator[CapturedLog]:
    """Everything that is logged from here on, as production writes it."""
    rendering = structlog.get_config()["processors"]  # every logger that has spoken holds this very list
    before, requests = [*rendering], logging.getLogger("latchkey.requests")
    level, stream = requests.level, StringIO()
    line = logging_config(production=True)["formatters"]["line"]
    rendering[:] = structlog.get_config()["processors"]
    ours, others = logging.StreamHandler(stream), logging.StreamHandler(stream)
    ours.addFilter(logging.Filter("latchkey"))
    others.addFilter(is_third_party)
    others.setFormatter(line["()"](processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]))
    requests.setLevel(logging.INFO)
    for handler in (ours, others):
        logging.getLogger().addHandler(handler)
    yield CapturedLog(stream)
    for handler in (ours, others):
        logging.getLogger().removeHandler(handler)
    requests.setLevel(level)
    rendering[:] = before
    structlog.configure(processors=rendering)


@pytest.fixture
def canary() -> Iterator[tuple[str, Callable[[], bool]]]:
    """A URL on this machine, and whether anybody has connected to it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def called() -> bool:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        yield f"http://127.0.0.1:{listener.getsockname()[1]}/keys.json", called
