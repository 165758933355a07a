"""LATCHKEY_MAIL_LANGUAGE: mails are translated by the operator's gettext catalogue; API and admin stay English."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
values = {"link": "https://x/?token=LINK", "code": "4711", "minutes": "30"}
enqueue(MailKind.PASSWORD_RESET, "alice@example.com", values)
"""


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    mail_server = SmtpServer().start()
    yield mail_server
    mail_server.stop()


@pytest.fixture
def server(tmp_path: Path, database_url: str, smtp_server: SmtpServer) -> Iterator[Server]:
    """A server with a German gettext catalogue, not started."""
    write_catalogue(tmp_path / "own" / "locale" / "de" / "LC_MESSAGES" / "django.mo", GERMAN)
    variables: dict[str, Any] = {"EMAIL_URL": smtp_server.url, "LATCHKEY_TEMPLATES_DIR": str(tmp_path / "own")}
    server = Server(tmp_path, database_url, workers=1, **variables, LATCHKEY_MAIL_LANGUAGE="de")
    yield server
    if server.process:
        server.kill()


def test_mail_language_translates_mails_but_not_api_errors_or_admin(server: Server, smtp_server: SmtpServer) -> None:
    server.start()
    server.shell(ENQUEUE_CODE)
    (mail,) = smtp_server.wait_for(1)
    assert mail["Subject"] == "Neues Passwort für Latchkey"
    text, html = (body.get_content() for kind in ("plain", "html") if (body := mail.get_body((kind,))))
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


def test_serve_refuses_a_mail_language_without_a_catalogue(server: Server) -> None:
    server.environment["LATCHKEY_MAIL_LANGUAGE"] = "fr"
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "latchkey: LATCHKEY_MAIL_LANGUAGE is 'fr', and LATCHKEY_TEMPLATES_DIR has no "
        "locale/fr/LC_MESSAGES/django.mo. (latchkey.E011)\n"
    )
