"""Dark mode: every page outside the admin area is dark where the system is dark, and its text is light."""

import pytest
from playwright.sync_api import Browser

from tests.server import Server

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/api/",
    "/api/login/",
    "/api/me/",
    "/api-doc/",
    "/forgot-password/",
    "/reset-password/?token=x",
    "/account/sign-in/",
    "/nothing",
]
LUMINANCE = """(name) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.fillStyle = getComputedStyle(document.body)[name];
  canvas.fillRect(0, 0, 1, 1);
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}"""
"""The brightness of a colour of the page, from 0 to 1."""


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_page_follows_the_colour_scheme_of_the_system(server: Server, chromium: Browser, scheme: str) -> None:
    context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light")
    page = context.new_page()
    for path in PAGES:
        page.goto(f"{server.url}{path}", wait_until="load")
        background, text = (page.evaluate(LUMINANCE, name) for name in ("backgroundColor", "color"))
        assert (background < 0.2) == (scheme == "dark"), path
        assert abs(background - text) > 0.5, path
    page.goto(f"{server.url}/api-doc/")
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')") == (scheme == "dark")
