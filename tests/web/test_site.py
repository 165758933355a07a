"""How pages and mails present the site: name, application, logo, colour and support of the runtime settings."""

import re
from collections.abc import Callable
from email.message import EmailMessage

import httpx
import pytest

from latchkey.conf.text_settings import text_color_on
from latchkey.core import clock
from latchkey.mail.checks import SAMPLE_CONTEXT
from latchkey.mail.models import MailKind
from latchkey.mail.render import render_mail
from tests.support.admin_pages import SETTINGS, Browser, save_settings

PAGES = [
    "/forgot-password/",
    "/reset-password/?token=x",
    "/verify-email/?token=x",
    "/confirm-email/?token=x",
    "/recover-factors/?token=x",
    "/cancel-recovery/?token=x",
    "/nothing",
]
BROWSER = {"Accept": "text/html"}
SITE = {
    "site_name": "Zoë & Söhne",
    "app_url": "https://app.example.com/?a=1&b=2",
    "logo_url": "https://cdn.example.com/logo.png",
    "accent_color": "#ffcc00",
    "support_email": "support@example.com",
}


@pytest.fixture
def site(set_policy: Callable[..., None]) -> None:
    set_policy(**SITE)


@pytest.mark.parametrize("path", PAGES)
def test_page_shows_the_site(http: httpx.Client, site: None, path: str) -> None:
    page = http.get(path, headers=BROWSER)
    assert re.search("<title>.* \N{EN DASH} Zoë &amp; Söhne</title>", page.text)
    assert '<img class="logo" src="https://cdn.example.com/logo.png"' in page.text
    assert "--accent: #ffcc00; --accent-text: #000000" in page.text
    assert 'href="mailto:support@example.com"' in page.text
    assert "Latchkey" not in page.text
    assert "img-src 'self' data: https://cdn.example.com;" in page.headers["Content-Security-Policy"]


def test_home_page_shows_the_site(http: httpx.Client, site: None) -> None:
    page = http.get("/", headers=BROWSER)
    assert "<h1>Zoë &amp; Söhne</h1>" in page.text
    assert "https://cdn.example.com;" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_page_without_settings_loads_no_image_and_names_no_support(http: httpx.Client, path: str) -> None:
    page = http.get(path, headers=BROWSER)
    assert "<img" not in page.text
    assert "mailto:" not in page.text
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("kind", MailKind)
def test_mail_shows_the_site(site: None, kind: MailKind) -> None:
    mail = render_mail(kind, "alice@example.com", SAMPLE_CONTEXT, 1, clock.now())
    html = str(mail.alternatives[0][0])
    assert "Zoë & Söhne" in mail.subject
    assert "Zoë & Söhne" in str(mail.body)
    assert "support@example.com" in str(mail.body)
    assert "https://app.example.com/?a=1&b=2" in str(mail.body)
    assert "Zoë &amp; Söhne" in html
    assert 'href="https://app.example.com/?a=1&amp;b=2"' in html
    assert 'src="https://cdn.example.com/logo.png"' in html
    assert ("background: #ffcc00; color: #000000" in html) == ("<a href" in html and "background:" in html)
    assert "127.0.0.1" not in mail.subject


def test_sender_has_the_name_of_the_site_unless_the_operator_names_one(
    site: None, settings: object, set_policy: Callable[..., None]
) -> None:
    message: EmailMessage = render_mail(MailKind.NEW_DEVICE, "a@example.com", SAMPLE_CONTEXT, 1, clock.now()).message()
    assert str(message["From"]).endswith("<no-reply@127.0.0.1>")
    assert "Latchkey" not in str(message["From"])
    settings.MAIL_FROM = "Example <mail@example.com>"  # type: ignore[attr-defined]
    message = render_mail(MailKind.NEW_DEVICE, "a@example.com", SAMPLE_CONTEXT, 1, clock.now()).message()
    assert message["From"] == "Example <mail@example.com>"


def test_logo_of_this_service_has_an_absolute_url_in_mails(set_policy: Callable[..., None]) -> None:
    set_policy(logo_url="/static/latchkey/icon.svg")
    html = render_mail(MailKind.NEW_DEVICE, "a@example.com", SAMPLE_CONTEXT, 1, clock.now()).alternatives[0][0]
    assert 'src="http://127.0.0.1:8000/static/latchkey/icon.svg"' in str(html)


@pytest.mark.parametrize(
    ("setting", "typed", "sentence"),
    [
        ("SITE_NAME", "a\tb", "A name has no line breaks"),
        ("SITE_NAME", "<b>", "A name has no line breaks"),
        ("SITE_NAME", "x" * 61, "A name has at most 60 characters."),
        ("APP_URL", "javascript:alert(1)", "Write a whole URL with http or https"),
        ("LOGO_URL", "//evil.example/x.png", "Write a whole URL with http or https"),
        ("ACCENT_COLOR", "blue", "Write a colour as"),
        ("SUPPORT_EMAIL", "nobody", "Write one e-mail address"),
    ],
)
def test_admin_refuses_a_value_that_is_unsafe_on_a_page(
    admin: Browser, setting: str, typed: str, sentence: str
) -> None:
    assert sentence in save_settings(admin, **{setting: typed}).text
    from latchkey.conf.policy import Policy, clear_cache, current_policy

    clear_cache()
    assert current_policy() == Policy()


def test_admin_saves_the_settings_of_the_site_and_empties_them_again(admin: Browser, http: httpx.Client) -> None:
    from latchkey.conf.policy import clear_cache

    assert "Pages and mails" in admin.get(SETTINGS).text
    save_settings(admin, **{name.upper(): value for name, value in SITE.items()})
    clear_cache()
    assert http.get("/api/config/").json()["site_name"] == "Zoë & Söhne"
    save_settings(admin, SITE_NAME="", LOGO_URL="")
    clear_cache()
    assert http.get("/api/config/").json()["site_name"] == "Latchkey"
    assert "<img" not in http.get("/forgot-password/").text


@pytest.mark.parametrize(
    ("color", "text"),
    [
        ("#000000", "#ffffff"),
        ("#ffffff", "#000000"),
        ("#1a56c4", "#ffffff"),
        ("#ffcc00", "#000000"),
        ("#777777", "#000000"),
    ],
)
def test_text_on_a_colour_is_the_one_that_is_easier_to_read(color: str, text: str) -> None:
    assert text_color_on(color) == text
