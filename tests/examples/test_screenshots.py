"""Screenshots of the example for the documentation; LATCHKEY_PICTURES names the folder for them."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.examples.conftest import OpenDevice
from tests.examples.notes_app import Device, NotesApp

pytestmark = pytest.mark.clients
MAX_BYTES = 150_000
"""Size of a screenshot in bytes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder for the screenshots: temporary, unless LATCHKEY_PICTURES is set."""
    return Path(os.environ.get("LATCHKEY_PICTURES", tmp_path))


def take(device: Device, picture: Path, height: int) -> None:
    """Take a screenshot of the window, at this height in pixels, from the top of the page."""
    width = device.page.viewport_size["width"] if device.page.viewport_size else 0
    device.page.set_viewport_size({"width": width, "height": height})
    device.page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    device.page.screenshot(path=picture, animations="disabled")
    header = picture.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert int.from_bytes(header[16:20]) == width
    assert picture.stat().st_size < MAX_BYTES


def test_screenshots_of_the_example_can_be_taken(app: NotesApp, open_device: OpenDevice, folder: Path) -> None:
    laptop, phone = open_device(1280), open_device(390, color_scheme="dark")
    take(phone, folder / "example-sign-in.png", 700)
    laptop.sign_up("ana.lima@example.com")
    laptop.sign_in("ana.lima@example.com")
    phone.sign_up("ben@example.com")
    phone.sign_in("ben@example.com")
    for device, text in ((laptop, "Order flowers for the foyer"), (phone, "The projector in room 2 needs a new lamp")):
        device.add_note(text)
    phone.press("Sign out")
    phone.sign_in("ana.lima@example.com")
    take(phone, folder / "example-notes-phone.png", 700)
    app.latchkey("roles", "grant", "editor", "ana.lima@example.com")
    laptop.page.reload()
    laptop.add_note("Fire drill on Thursday at ten")
    expect(laptop.page.get_by_role("button", name="Delete the note: Fire drill")).to_be_visible()
    take(laptop, folder / "example-notes.png", 760)
    laptop.follow("Account")
    laptop.press("Set up an authenticator app")
    expect(laptop.page.get_by_role("img", name="QR code")).to_be_visible()
    expect(laptop.page.locator("#device-list").get_by_role("listitem")).to_have_count(2)
    take(laptop, folder / "example-account.png", 1120)
