"""What the promises share: operators, a log in its production form, and addresses that nobody must call."""

import logging
import socket
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from latchkey.core.logs import logging_settings
from tests.admin.conftest import admin, staff
from tests.api.conftest import clock
from tests.attacks.conftest import away
from tests.promises.lines import Log

__all__ = ["admin", "away", "clock", "staff"]


@pytest.fixture
def log() -> Iterator[Log]:
    """Everything that is logged from here on, as production writes it."""
    line = logging_settings(production=True)["formatters"]["line"]
    handler = logging.StreamHandler(StringIO())
    handler.setFormatter(line["()"](processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]))
    requests = logging.getLogger("django_structlog")
    before = requests.level
    requests.setLevel(logging.INFO)
    logging.getLogger().addHandler(handler)
    yield Log(handler.stream)
    logging.getLogger().removeHandler(handler)
    requests.setLevel(before)


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
