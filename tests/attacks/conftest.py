"""What is broken on purpose in this process."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import pytest
from django.db import connections

from tests.postgres import free_port


class DatabaseDown(Protocol):
    """While it lasts, the database cannot be reached."""

    def __call__(self) -> AbstractContextManager[None]: ...


@contextmanager
def unreachable_database() -> Iterator[None]:
    """Put a connection in the place of ours that leads nowhere, and ours back afterwards."""
    ours = connections["default"]
    nowhere = ours.copy()
    elsewhere = {"NAME": "/nowhere/at/all.sqlite3"} if ours.vendor == "sqlite" else {"PORT": str(free_port())}
    nowhere.settings_dict = {**ours.settings_dict, **elsewhere}
    connections["default"] = nowhere
    try:
        yield
    finally:
        nowhere.close()
        connections["default"] = ours


@pytest.fixture
def database_down(db: None) -> DatabaseDown:
    return unreachable_database
