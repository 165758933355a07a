"""The theme of the admin: scripts under the Content-Security-Policy, menu, and formats of times and addresses."""

import math
import re
from collections.abc import Callable
from hashlib import sha256

import pytest

from latchkey.admin.theme import PRIMARY
from tests.people import Person
from tests.support.admin_pages import SESSIONS, USERS, Browser, user_page
from tests.support.package_ast import PACKAGE

ALPINE = "0d18d7f8d7910e2e0212f0f056b12f50bebc3abb7d88d2f7c7cb4c336fe4519a"
"""dist/cdn.min.js of @alpinejs/csp 3.17.4, as the registry has it."""


def oklch_to_hex(color: str) -> str:
    """Return an oklch() colour as #rrggbb (CSS Color 4, section 9)."""
    lightness, chroma, hue = (float(part) for part in re.findall(r"[\d.]+", color))
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    lightness /= 100
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    encoded = (12.92 * each if each <= 0.0031308 else 1.055 * each ** (1 / 2.4) - 0.055 for each in linear)
    return "#" + "".join(f"{round(255 * each):02x}" for each in encoded)


def test_admin_has_the_blue_of_the_icon_and_of_the_other_pages() -> None:
    blue = oklch_to_hex(PRIMARY["600"])
    for name in ("icon.svg", "palette.css"):
        assert blue in (PACKAGE / "static/latchkey" / name).read_text()


def test_admin_tells_the_browser_whether_the_page_is_dark() -> None:
    styles = (PACKAGE / "static/latchkey/admin.css").read_text()
    assert re.search(r":root {\s+color-scheme: light;", styles)
    assert re.search(r"\.dark {\s+color-scheme: dark;", styles)


@pytest.mark.ledger("ASVS-3.4.3")
def test_admin_csp_allows_scripts_from_self_only_and_no_eval(admin: Browser) -> None:
    for page in ("/admin/", "/admin/login/", USERS):
        policy = admin.get(page, follow=True)["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy


def test_alpine_js_is_the_published_csp_build() -> None:
    assert sha256((PACKAGE / "static/unfold/js/alpine/alpine.js").read_bytes()).hexdigest() == ALPINE


def test_static_files_serve_the_csp_build_of_alpine_js(admin: Browser) -> None:
    served = admin.get("/static/unfold/js/alpine/alpine.js")
    assert sha256(served.getvalue()).hexdigest() == ALPINE


def test_admin_has_no_global_search(admin: Browser) -> None:
    for query in ("", "?s=user", "?s=user&page=x"):
        assert admin.get(f"/admin/search/{query}").status_code == 404


def test_admin_menu_shows_only_pages_that_the_user_may_open(admin: Browser, staff: Callable[..., Browser]) -> None:
    links = (USERS, SESSIONS, "/admin/constance/config/", "/admin/auth/group/")
    page = admin.get("/admin/password_change/").text
    assert [link in page for link in links] == [True, True, True, True]
    page = staff("view_session").get("/admin/password_change/").text
    assert [link in page for link in links] == [False, True, False, False]


def test_admin_shows_times_in_utc_and_email_addresses_in_lowercase(admin: Browser, alice: Person) -> None:
    page = admin.get(user_page(alice.id)).text
    assert " UTC" in page
    assert "a.m." not in page
    assert "Alice@example.com" not in page


def test_admin_account_menu_leads_to_password_and_second_factor(admin: Browser) -> None:
    page = admin.get("/admin/").text
    for link, title in (("/admin/password_change/", "Change password"), ("/account/security/", "Second factor")):
        assert re.search(rf'<a href="{link}"[^>]*>\s*{title}\s*</a>', page)
