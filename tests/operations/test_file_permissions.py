"""File permissions: what the service writes is readable by its own user only, with any umask and any directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.people import Person
from tests.server import Server


@pytest.fixture
def loose_umask() -> Iterator[None]:
    """Set umask 0: files without an explicit mode are world-writable."""
    before = os.umask(0)
    yield
    os.umask(before)


def accessible_to_others(folder: Path) -> list[str]:
    found = [folder, *folder.rglob("*")]
    return [path.name for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]


@pytest.fixture
def server_with_loose_umask(tmp_path: Path, database_url: str, loose_umask: None) -> Iterator[Server]:
    """A server, not started, in a process with umask 0."""
    server = Server(tmp_path, database_url, workers=1)
    yield server
    if server.process:
        server.kill()


@pytest.mark.ledger("ASVS-13.3.2")
def test_data_directory_is_0700_and_secret_file_0600_with_any_umask(server_with_loose_umask: Server) -> None:
    server_with_loose_umask.start()
    var = server_with_loose_umask.folder / "var"
    assert stat.S_IMODE(var.stat().st_mode) == 0o700
    assert stat.S_IMODE((var / "secret").stat().st_mode) == 0o600


@pytest.mark.ledger("ASVS-13.3.2")
def test_server_restarts_with_a_read_only_secret_file(server_with_loose_umask: Server) -> None:
    server_with_loose_umask.start()
    with httpx.Client(base_url=server_with_loose_umask.url) as http:
        alice = Person(http, "alice@example.com").register().login()
        (server_with_loose_umask.folder / "var" / "secret").chmod(0o400)
        server_with_loose_umask.stop()
        server_with_loose_umask.restart()
        assert alice.refresh().me().status_code == 200


@pytest.mark.ledger("REG-DJANGO-22")
def test_server_writes_private_files_into_a_world_readable_data_directory(server_with_loose_umask: Server) -> None:
    var = server_with_loose_umask.folder / "var"
    var.mkdir(mode=0o755)
    server_with_loose_umask.start()
    with httpx.Client(base_url=server_with_loose_umask.url) as http:
        Person(http, "alice@example.com").register().login()
    assert accessible_to_others(var) == ["var"]


@pytest.mark.ledger("REG-DJANGO-22")
def test_settings_use_no_file_based_cache_or_session_store() -> None:
    assert not [cache for cache in settings.CACHES.values() if "filebased" in cache["BACKEND"]]
    assert (
        settings.SESSION_ENGINE == "latchkey.admin.session_store"
    )  # Django's in the database, with other names of rows
    assert settings.FILE_UPLOAD_HANDLERS  # Django's own, which no form here reaches: there is no field for a file
