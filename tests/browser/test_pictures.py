"""The pictures of the README, taken of the running service: LATCHKEY_PICTURES names the folder that gets them."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import DESK, Visitor

pytestmark = pytest.mark.browser
LARGEST = 200_000
"""Bytes of a picture."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go: without LATCHKEY_PICTURES they are taken and thrown away."""
    return Path(os.environ.get("LATCHKEY_PICTURES", tmp_path))


def take(page: Page, picture: Path) -> None:
    page.screenshot(path=picture)
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert int.from_bytes(header[16:20]) == DESK
    assert picture.stat().st_size < LARGEST


def test_the_picture_of_the_admin(visitor: Visitor, folder: Path) -> None:
    visitor.open_admin()
    page = visitor.open("/admin/constance/config/")
    page.set_viewport_size({"width": DESK, "height": 1020})
    expect(page.locator("#id_ACCESS_TOKEN_LIFETIME")).to_be_in_viewport()
    take(page, folder / "admin.png")


def test_the_picture_of_the_documentation(visitor: Visitor, folder: Path) -> None:
    page = visitor.open("/api-doc/")
    page.set_viewport_size({"width": DESK, "height": 760})
    expect(page.locator(".opblock").first).to_be_visible()
    take(page, folder / "docs.png")
