"""Mails speak the language of the operator's catalogue; the API and the admin area stay as they are."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.operations.gettext_catalogue import write_catalogue
from tests.server import Server
from tests.support.smtp_server import SmtpServer

GERMAN = {
    "Set a new password for %(site)s": "Neues Passwort für %(site)s",
    "Set a new password": "Neues Passwort wählen",
    "Hello,": "Guten Tag,",
    "Or type this code: %(code)s": "Oder diesen Code: %(code)s",
}
ENQUEUE_CODE = """
from latchkey.mail.models import Kind
from latchkey.mail.outbox import post
post(Kind.PASSWORD_RESET, "alice@example.com", {"link": "https://x/?token=LINK", "code": "4711", "minutes": "30"})
"""


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    office = SmtpServer().start()
    yield office
    office.stop()


@pytest.fixture
def server(tmp_path: Path, database_url: str, smtp_server: SmtpServer) -> Iterator[Server]:
    """A server with a German catalogue, not started."""
    write_catalogue(tmp_path / "own" / "locale" / "de" / "LC_MESSAGES" / "django.mo", GERMAN)
    variables = {"EMAIL_URL": smtp_server.url, "LATCHKEY_TEMPLATES_DIR": str(tmp_path / "own")}
    server = Server(tmp_path, database_url, workers=1, **variables, LATCHKEY_MAIL_LANGUAGE="de")
    yield server
    if server.process:
        server.kill()


def test_mails_are_translated_and_nothing_else_is(server: Server, smtp_server: SmtpServer) -> None:
    server.start()
    server.shell(ENQUEUE_CODE)
    (mail,) = smtp_server.wait_for(1)
    assert mail["Subject"] == "Neues Passwort für 127.0.0.1"
    text, html = mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()
    assert text.startswith("Guten Tag,")
    assert "Oder diesen Code: 4711" in text
    assert '<html lang="de">' in html
    assert ">Neues Passwort wählen</a>" in html
    for language in ("de", "en"):
        refused = httpx.post(f"{server.url}/api/login/", json={}, headers={"Accept-Language": language})
        assert refused.json()["errors"] == {
            "email": ["This field is required."],
            "password": ["This field is required."],
        }
        assert "Log in" in httpx.get(f"{server.url}/admin/login/", headers={"Accept-Language": language}).text


def test_a_language_without_its_catalogue_is_refused(server: Server) -> None:
    server.environment["LATCHKEY_MAIL_LANGUAGE"] = "fr"
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "latchkey: LATCHKEY_MAIL_LANGUAGE is 'fr', and LATCHKEY_TEMPLATES_DIR has no "
        "locale/fr/LC_MESSAGES/django.mo. (latchkey.E011)\n"
    )
