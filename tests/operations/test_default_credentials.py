"""No default credentials: passwords and keys are made at the first start or given, and none ships with the package."""

import ast
import re
from pathlib import Path

import httpx
import pytest

from latchkey.audit.events import Event
from tests.people import Person
from tests.server import Server
from tests.support.package_ast import PACKAGE, walk_nodes
from tests.support.production import production_server

ROOT = PACKAGE.parent
KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bxox[abp]-\w{10}|\bsk_live_\w{10}"
)
NAMED = re.compile(r"SECRET|PASSWORD|TOKEN|_KEY$")
ALLOWED_LITERALS = {"123Qwe123", "password_reset", "password_changed"} | {event.value for event in Event}
ALLOWED_LITERALS |= {"totp_secret", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "new-secret"}
"""The demo password, as `latchkey demo` refuses to run in production; names of mails, events, a field of a file and a
button; and the secret of the examples in the API documents."""


@pytest.mark.ledger("ASVS-13.2.3")
def test_production_creates_no_default_superuser_and_requires_a_secret_key(tmp_path: Path, database_url: str) -> None:
    server = production_server(tmp_path, database_url, LATCHKEY_ADMIN_EMAIL="", LATCHKEY_ADMIN_PASSWORD="")
    try:
        server.start()
        assert server.shell("print(User.objects.count())") == "0"
        assert not (tmp_path / "var" / "secret").exists()
        assert (tmp_path / "var").exists() == (not database_url)  # nothing is kept outside the database
    finally:
        server.kill()
    del server.environment["LATCHKEY_SECRET_KEY"]
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, "LATCHKEY_SECRET_KEY is not set" in done.stderr) == (2, True)


@pytest.mark.ledger("ASVS-13.2.3")
def test_two_installations_generate_different_secret_keys(tmp_path: Path) -> None:
    secrets = set()
    for name in ("one", "two"):
        server = Server(tmp_path / name)
        assert server.command("migrate", "--verbosity", "0").returncode == 0
        secrets.add((server.folder / "var" / "secret").read_text())
    assert len(secrets) == 2


@pytest.mark.ledger("ASVS-13.3.1")
def test_secret_key_of_the_environment_is_written_to_no_file(tmp_path: Path, database_url: str) -> None:
    secret = "a secret out of a manager of secrets, and long enough for production " * 2
    server = Server(tmp_path, database_url, workers=1, LATCHKEY_SECRET_KEY=secret)
    try:
        server.start()
        with httpx.Client(base_url=server.url) as http:
            alice = Person(http, "alice@example.com").register().login()
            assert alice.refresh().me().status_code == 200
            server.stop()
            server.environment["LATCHKEY_SECRET_KEY"] = secret[::-1]
            server.restart()
            assert [alice.me().status_code, alice.try_refresh().status_code] == [401, 401]
    finally:
        server.kill()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert [path.name for path in kept if secret.encode() in path.read_bytes()] == []


@pytest.mark.ledger("ASVS-13.3.1")
def test_shipped_files_contain_no_private_or_api_keys() -> None:
    shipped = [path for folder in (PACKAGE, ROOT / "docs") for path in folder.rglob("*") if path.is_file()]
    shipped += [path for path in ROOT.iterdir() if path.suffix in (".md", ".toml", ".yaml") or path.name == "Makefile"]
    texts = [path for path in shipped if path.suffix not in (".png", ".pyc")]
    assert len(texts) > 80
    assert [path.name for path in texts if KEYS.search(path.read_text())] == []
    assert KEYS.search("-----BEGIN EC PRIVATE KEY-----")


@pytest.mark.ledger("ASVS-13.3.1")
def test_package_has_no_hard_coded_secrets() -> None:
    found = set()
    for node in (node for _, node in walk_nodes() if isinstance(node, ast.Assign)):
        for target in node.targets:
            names = [ast.unparse(each) for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for name, value in zip(names, values, strict=False):
                if NAMED.search(name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.add(value.value)
    assert {value for value in found if value and " " not in value} - ALLOWED_LITERALS == set()
