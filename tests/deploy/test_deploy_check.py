"""latchkey check --deploy: no issue in the documented set-up, and a numbered one for each unsafe value."""

import re
import secrets
from pathlib import Path

import pytest

from latchkey import checks, settings
from tests.server import Server
from tests.support.production import POSTGRESQL, production_server, read_settings, update_environment

CHECK = ("check", "--deploy", "--fail-level", "WARNING")
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text()
UNSAFE = {
    "LATCHKEY_SECRET_KEY": "short",
    "LATCHKEY_SECRET_KEY_FALLBACKS": "old",
    "LATCHKEY_PUBLIC_URL": "",
    "LATCHKEY_ALLOWED_HOSTS": "",
    "LATCHKEY_CORS_ORIGINS": "http://app.example.com",
}


@pytest.fixture
def operator(tmp_path: Path) -> Server:
    return production_server(tmp_path, POSTGRESQL)


@pytest.mark.ledger(
    "DJ-W001",
    "DJ-W002",
    "DJ-W003",
    "DJ-W004",
    "DJ-W006",
    "DJ-W008",
    "DJ-W009",
    "DJ-W010/11/12",
    "DJ-W013/14/15",
    "DJ-W016",
    "DJ-W018",
    "DJ-W019",
    "DJ-W020",
    "DJ-W022",
    "DJ-E023/24",
    "DJ-W025",
    "DJ-E026",
    "DJ-E100/101",
    "DJ-LIST-6",
)
def test_deploy_check_reports_no_issue_in_production(operator: Server) -> None:
    done = operator.command(*CHECK)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (3 silenced).\n"


@pytest.mark.ledger("DJ-LIST-6")
def test_deploy_check_reports_no_issue_in_the_documented_set_up(tmp_path: Path) -> None:
    shown = re.findall(r"^(LATCHKEY_\w+|DATABASE_URL)=(\S+)", PAGE, re.MULTILINE)
    server = Server(tmp_path)
    server.environment |= dict(shown) | {"LATCHKEY_SECRET_KEY": secrets.token_urlsafe(64)}
    done = server.command(*CHECK)
    assert server.environment["LATCHKEY_MODE"] == "production"
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_page_documents_every_system_check_id() -> None:
    sources = [Path(checks.__file__), *Path(checks.__file__).parent.glob("*/checks.py")]
    used = {number for path in sources for number in re.findall(r'id="(latchkey\.[EW]\d+)"', path.read_text())}
    assert used == set(re.findall(r"^\| `(latchkey\.[EW]\d+)` \| \S", PAGE, re.MULTILINE))


def test_deploy_check_reports_each_unsafe_value_in_production(operator: Server) -> None:
    done = update_environment(operator, **UNSAFE).command(*CHECK)
    assert done.returncode == 1
    numbers = re.findall(r"^\?: \(latchkey\.(E\d+)\) \S.*\n\tHINT: \S", done.stderr, re.MULTILINE)
    assert numbers == ["E002", "E003", "E004", "E005", "E006"]
    assert "Traceback" not in done.stderr


def test_deploy_check_reports_no_latchkey_issue_in_development(operator: Server) -> None:
    done = update_environment(operator, LATCHKEY_MODE="development", **UNSAFE).command(*CHECK)
    assert "latchkey.E" not in done.stdout + done.stderr


@pytest.mark.ledger("DJ-LIST-6", "DJ-W008")
def test_silenced_system_checks_have_a_reason_in_a_comment(operator: Server) -> None:
    silenced = read_settings(operator)["SILENCED_SYSTEM_CHECKS"]
    assert silenced == ["security.W005", "security.W021", "security.W008"]
    source = Path(settings.__file__).read_text()
    for number in silenced:
        assert re.search(rf'"{re.escape(number)}",  # \w.{{20,}}$', source, re.MULTILINE)


def test_deploy_check_and_serve_warn_in_production_without_a_mail_server(operator: Server) -> None:
    done = update_environment(operator, EMAIL_URL="").command(*CHECK)
    assert done.returncode == 1
    assert "?: (latchkey.W002) EMAIL_URL is not set, so no mail is sent.\n\tHINT: " in done.stderr
    done = operator.command("serve", "--port", str(operator.port))  # which cannot connect to the database
    assert done.stderr.startswith("latchkey: warning: EMAIL_URL is not set, so no mail is sent. ")
    assert done.stderr.splitlines()[0].endswith("(latchkey.W002)")


def test_deploy_check_says_nothing_of_mails_in_development(operator: Server) -> None:
    done = update_environment(operator, EMAIL_URL="", LATCHKEY_MODE="development").command(*CHECK)
    assert "W002" not in done.stderr
