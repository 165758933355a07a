"""One palette: all pages outside the admin area take their colours from palette.css, which has those of its theme."""

import math
import re

import httpx
import pytest

from latchkey.admin.theme import PRIMARY
from latchkey.conf.site import ACCENT_COLOR
from tests.support.package_ast import PACKAGE

STYLES = PACKAGE / "static" / "latchkey"
PAGES = ["/", "/api/", "/api/login/", "/api-doc/", "/forgot-password/", "/verify-email/resend/", "/nothing"]
PAGES += ["/account/sign-in/"]
HTML = {"Accept": "text/html"}
COLOR = re.compile(r"#[0-9a-f]{3,8}\b|oklch\([^)]*\)")


def to_hex(text: str) -> str:
    """Return 'oklch(52% .086 234)' as '#rrggbb' (CSS Color Module Level 4, section 9)."""
    lightness, chroma, hue = (float(part.rstrip("%")) for part in text[6:-1].split())
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    l, m, s = (  # noqa: E741 - the names of the standard
        (lightness / 100 + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    parts = [12.92 * x if x <= 0.0031308 else 1.055 * x ** (1 / 2.4) - 0.055 for x in linear]
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def test_accent_colour_of_pages_and_mails_is_that_of_the_admin_theme() -> None:
    assert to_hex(PRIMARY["600"]) == ACCENT_COLOR
    assert f"--accent: {ACCENT_COLOR};" in (STYLES / "palette.css").read_text()


def test_palette_has_the_link_colours_of_the_admin_theme() -> None:
    shades = set(PRIMARY.values())
    (link,) = re.findall(r"--link: light-dark\((.*)\);", (STYLES / "palette.css").read_text())
    assert set(COLOR.findall(link)) <= shades


@pytest.mark.parametrize("name", ["account.css", "link_page.css", "home.css", "swagger.css"])
def test_style_of_a_page_has_no_colour_of_its_own(name: str) -> None:
    assert COLOR.findall((STYLES / name).read_text()) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_outside_the_admin_area_loads_the_palette(http: httpx.Client, path: str) -> None:
    page = http.get(path, headers=HTML)
    assert '<link rel="stylesheet" href="/static/latchkey/palette.css">' in page.text
    assert http.get("/static/latchkey/palette.css").status_code == 200


def test_openapi_document_has_a_tag_for_each_feature(http: httpx.Client) -> None:
    schema = http.get("/api-doc/schema/", headers={"Accept": "application/json"}).json()
    operations = [operation for methods in schema["paths"].values() for operation in methods.values()]
    known = [tag["name"] for tag in schema["tags"]]
    assert all(len(operation["tags"]) == 1 for operation in operations)
    assert {tag for operation in operations for tag in operation["tags"]} == set(known)
    assert len(known) > 5
    assert schema["paths"]["/api/login/"]["post"]["tags"] == ["Registration and sign-in"]
    assert schema["paths"]["/api/password/reset/"]["post"]["tags"] == ["Passwords"]
