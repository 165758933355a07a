"""Fixtures of all tests. A test that requests `http` or a person runs on the database of the run."""

import signal
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext, override_settings

from latchkey import settings as shipped_settings
from latchkey.conf import policy
from latchkey.db import outages
from latchkey.rate_limits.in_memory import clear
from latchkey.signing_keys import key_set as ring
from tests.people import Person
from tests.secret_leaks import assert_no_secrets_logged
from tests.server import Server, create_database

pytest_plugins = [
    f"tests.fixtures.{name}"
    for name in (
        *("admin", "clients", "clock", "database", "exceptions", "faults", "logging", "metrics", "races"),
        "transactions",
    )
]

# A shell's "&" has both ignored, and so would be whatever the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def no_secrets_in_logs() -> Iterator[None]:
    """Search the log of every test for secrets."""
    with assert_no_secrets_logged():
        yield


@pytest.fixture(autouse=True)
def shipped_password_hashers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Use the password hashers of production in tests marked `hashing`."""
    if request.node.get_closest_marker("hashing") is None:
        yield
        return
    with override_settings(PASSWORD_HASHERS=shipped_settings.PASSWORD_HASHERS):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Remove the time limits before the end of the run, as dropping a database may take longer."""
    yield
    settings.DATABASES["default"].pop("ANSWER_TIMEOUT", None)
    settings.DATABASES["default"]["OPTIONS"].pop("options", None)


@pytest.fixture
def http(db: None) -> Iterator[httpx.Client]:
    """A client of the service in this process: the whole WSGI stack, without a socket."""
    from latchkey.wsgi import application

    policy.clear_cache()
    clear()
    outages.clear()
    ring.clear_cache()
    for sent in (request_started, request_finished):  # a test is one transaction, which must outlive a request
        sent.disconnect(close_old_connections)
    transport = httpx.WSGITransport(app=application, raise_app_exceptions=False)
    with httpx.Client(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield client
    for sent in (request_started, request_finished):
        sent.connect(close_old_connections)


@pytest.fixture
def alice(http: httpx.Client) -> Person:
    return Person(http, "alice@example.com").register().login()


@pytest.fixture
def bob(http: httpx.Client) -> Person:
    return Person(http, "bob@example.com").register().login()


@pytest.fixture
def user_row() -> Callable[[Person], Any]:
    """Return a function that returns the user row of a person."""
    return lambda person: get_user_model().objects.get(pk=person.id)


@pytest.fixture
def set_policy(db: None) -> Iterator[Callable[..., None]]:
    """Return a function that changes policy settings as the admin does: set_policy(retry_window=timedelta(0))."""
    from constance import config

    def set_values(**values: Any) -> None:
        for name, value in values.items():
            setattr(config, name.upper(), value)
        policy.clear_cache()

    yield set_values
    policy.clear_cache()


@pytest.fixture
def statements(db: None) -> Callable[[Callable[[], Any]], list[str]]:
    """Return a function that runs something and returns its SQL statements, except those that control transactions."""

    def run(act: Callable[[], Any]) -> list[str]:
        policy.clear_cache()  # else the second for which it holds could end in mid-act, and its query be counted
        policy.current_policy()
        with CaptureQueriesContext(connection) as captured:
            act()
        sent = [query["sql"].strip() for query in captured.captured_queries]
        return [sql for sql in sent if sql.split()[0].upper() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")]

    return run


@pytest.fixture(scope="session")
def unique_numbers() -> Iterator[int]:
    """Numbers for e-mail addresses of users who share a server."""
    return count(1)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """The URL of an empty database for a server of its own; empty on SQLite, which is the default."""
    return create_database(settings.DATABASE_URL) if settings.DATABASE_URL else ""


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A running server with 2 workers of 4 threads and a database of its own, of the kind of the run."""
    running = Server(tmp_path, database_url).start()
    yield running
    running.kill()
