"""Fixtures: the running example, and devices, which are browsers with cookies of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import FLAGS
from tests.examples.notes_app import Device, NotesApp

OpenDevice = Callable[..., Device]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotesApp]:
    """The example with a new data folder, for all tests of a file: each of them has users of its own."""
    running = NotesApp(tmp_path_factory.mktemp("notes")).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_device(app: NotesApp, chromium: Browser) -> Iterator[OpenDevice]:
    """Open a browser at the example. At the end no script may have failed, and no other host have been asked."""
    opened: list[Device] = []

    def open_one(width: int = 1280, **options: Any) -> Device:
        opened.append(Device(app, chromium, width, **options))
        return opened[-1]

    yield open_one
    assert [device.problems for device in opened] == [[] for _ in opened]
