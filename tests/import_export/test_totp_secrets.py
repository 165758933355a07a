"""Secrets of authenticator apps in imports and exports: people keep the app that they have."""

import json
from base64 import b32encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import override_settings

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock
from latchkey.factors import totp
from latchkey.factors.models import TOTP_ENCRYPTION, TotpSecret
from latchkey.import_export.totp_secrets import parse_totp_secret
from tests.factors.apps import code_at, request_ticket, try_second_factor
from tests.import_export.conftest import ImportRun, to_csv
from tests.people import PASSWORD, Person, try_login
from tests.security.test_leaked_database import every_value, written_forms

RAW = b"12345678901234567890"
BASE32 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
FORMS = pytest.mark.parametrize("form", ["csv", "jsonl"])

SPELLINGS = {
    "as it is": BASE32,
    "in small letters": BASE32.lower(),
    "in groups": " ".join(BASE32[at : at + 4] for at in range(0, 32, 4)),
    "with hyphens": "-".join(BASE32[at : at + 8] for at in range(0, 32, 8)),
    "a URI": f"otpauth://totp/Example:a@example.com?secret={BASE32}&issuer=Example",
    "a URI with all parameters": f"otpauth://totp/a?period=30&digits=6&algorithm=SHA1&secret={BASE32.lower()}",
    "a URI in other letters": f" OTPAUTH://TOTP/x?Secret={BASE32}&Algorithm=HmacSHA1 ",
}
REFUSED = {
    "no base32": "0189!",
    "too short": "GEZDGNBV",
    "too long": b32encode(bytes(129)).decode(),
    "counter-based": f"otpauth://hotp/a?secret={BASE32}&counter=1",
    "SHA-256": f"otpauth://totp/a?secret={BASE32}&algorithm=SHA256",
    "8 digits": f"otpauth://totp/a?secret={BASE32}&digits=8",
    "60 s": f"otpauth://totp/a?secret={BASE32}&period=60",
    "a URI without a secret": "otpauth://totp/a",
    "another URI": "https://example.com/?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "a URI that is none": f"otpauth://[totp/a?secret={BASE32}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_secret_is_read_as_base32_and_as_uri(spelling: str) -> None:
    assert parse_totp_secret(SPELLINGS[spelling]) == RAW


def test_secrets_of_other_lengths_are_read_without_padding() -> None:
    for length in range(10, 65):
        secret = bytes(range(length))
        assert parse_totp_secret(b32encode(secret).decode().rstrip("=")) == secret
        assert parse_totp_secret(b32encode(secret).decode()) == secret


@pytest.mark.parametrize("reason", REFUSED)
def test_secret_whose_codes_cannot_be_checked_is_a_bad_line_that_is_not_repeated(
    import_users: Callable[..., ImportRun], capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    run = import_users({"email": "a@example.com", "totp_secret": REFUSED[reason]}, {"email": "b@example.com"})
    assert run.exit_code == 1
    report = capsys.readouterr().err
    assert "line 1: totp_secret: " in report
    assert BASE32 not in report
    assert list(User.objects.values_list("email", flat=True)) == ["b@example.com"]


@FORMS
def test_imported_user_signs_in_with_the_old_password_and_the_old_app(
    http: httpx.Client, import_users: Callable[..., ImportRun], form: str
) -> None:
    record = {"email": "a@example.com", "password": PASSWORD, "totp_secret": BASE32}
    other = {"email": "b@example.com", "password": "", "totp_secret": ""}
    records = [to_csv(record, other)] if form == "csv" else [record, other]
    assert import_users(*records, name=f"users.{form}").counts == (2, 0, 0)
    person = Person(http, "a@example.com")
    assert try_login(http, person.email).json()["factors"] == ["totp"]
    answer = try_second_factor(http, request_ticket(person), code=code_at(BASE32, clock.now()))
    assert answer.status_code == 200
    assert dict(User.objects.values_list("email", "second_factors")) == {"a@example.com": 1, "b@example.com": 0}
    assert TotpSecret.objects.count() == 1


def test_app_with_a_secret_of_80_bits_works(http: httpx.Client, import_users: Callable[..., ImportRun]) -> None:
    import_users({"email": "a@example.com", "password": PASSWORD, "totp_secret": "GEZDGNBVGY3TQOJQ"})
    user = User.objects.get()
    assert totp.use_code(user.pk, code_at(b"1234567890", clock.now()), clock.now())


def test_import_changes_no_factor_of_a_user_who_exists(
    http: httpx.Client, import_users: Callable[..., ImportRun]
) -> None:
    alice = Person(http, "alice@example.com").register()
    assert import_users({"email": alice.email, "totp_secret": BASE32}).counts == (0, 1, 0)
    assert User.objects.get().second_factors == 0
    assert not TotpSecret.objects.exists()
    assert try_login(http, alice.email).status_code == 200


def test_imported_secret_is_encrypted_in_the_database(import_users: Callable[..., ImportRun]) -> None:
    import_users({"email": "a@example.com", "totp_secret": BASE32})
    stored = written_forms(every_value())
    assert BASE32.lower() not in stored
    assert RAW.hex() not in stored
    assert RAW.decode() not in stored
    assert TOTP_ENCRYPTION.decrypt(bytes(TotpSecret.objects.get().secret)) == RAW


def export(file: Path, *options: str) -> str:
    call_command("users", "export", str(file), *options)
    return file.read_text()


@FORMS
def test_export_has_secrets_only_where_it_is_asked_to_and_import_restores_them(
    import_users: Callable[..., ImportRun], tmp_path: Path, form: str
) -> None:
    import_users({"email": "a@example.com", "totp_secret": BASE32}, {"email": "b@example.com"})
    totp.begin_enrolment(User.objects.get(email="b@example.com"))
    assert "totp_secret" not in export(tmp_path / f"without.{form}")
    text = export(tmp_path / f"with.{form}", "--with-totp-secrets")
    assert text.count(BASE32) == 1
    User.objects.all().delete()
    assert ImportRun(tmp_path / f"with.{form}").counts == (2, 0, 0)
    (restored,) = TotpSecret.objects.select_related("user")
    assert (restored.user.email, restored.user.second_factors) == ("a@example.com", 1)
    assert TOTP_ENCRYPTION.decrypt(bytes(restored.secret)) == RAW
    reasons = AuditEvent.objects.filter(name="users.exported").order_by("pk").values_list("detail", flat=True)
    assert list(reasons) == ["2", "2 with totp secrets"]


def test_export_stops_at_a_secret_that_cannot_be_decrypted(
    import_users: Callable[..., ImportRun], tmp_path: Path
) -> None:
    import_users({"email": "a@example.com", "totp_secret": BASE32})
    with override_settings(SECRET_KEY="k" * 60), pytest.raises(ImproperlyConfigured, match="cannot be decrypted"):
        export(tmp_path / "all.jsonl", "--with-totp-secrets")
    assert list(tmp_path.glob("*all*")) == []


def test_jsonl_export_of_a_user_without_an_app_has_an_empty_secret(
    import_users: Callable[..., ImportRun], tmp_path: Path
) -> None:
    import_users({"email": "b@example.com"})
    exported: dict[str, Any] = json.loads(export(tmp_path / "all.jsonl", "--with-totp-secrets", "--without-hashes"))
    assert exported["totp_secret"] == ""
    assert "password_hash" not in exported
