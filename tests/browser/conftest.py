"""Fixtures for browser tests.

Each test starts a browser, as an open one leaves its event loop running, which Django forbids.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.page import BrowserPage
from tests.server import Server

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(server: Server, chromium: Browser) -> Callable[[int], BrowserPage]:
    """Open a window of a given width in pixels."""
    return lambda width: BrowserPage(chromium, server.url, width)


@pytest.fixture
def browser_page(server: Server, chromium: Browser) -> BrowserPage:
    return BrowserPage(chromium, server.url)
