"""Malformed import files: an invalid record is reported with its line number, and all others are imported."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.import_export import email_cache as addresses
from latchkey.import_export.importer import ImportOptions
from latchkey.import_export.importer import import_users as take_records_in
from latchkey.import_export.record import IMPORT_FIELDS
from latchkey.import_export.source_lines import MAX_LINE_BYTES, SourceRecord
from tests.accounts.test_email import ADDRESSES, canonical_or_none
from tests.import_export.conftest import ImportRun
from tests.import_export.legacy_hashes import crypt_bcrypt

ImportUsers = Callable[..., ImportRun]
HASH = crypt_bcrypt(4)
GOOD = b'{"email": "dave@example.com"}\n'
HEAD = b"email,username,password_hash\n"
OBJECTS = {
    "a NUL": (
        b'{"email": "erin@example.com", "username": "a\\u0000b"}',
        "username: This has an invalid character.",
    ),
    "half a character": (
        b'{"email": "erin@example.com", "username": "\\ud800"}',
        "username: This has an invalid character",
    ),
    "no UTF-8": (b'{"email": "erin@example.com", "username": "\xff"}', "It is not UTF-8."),
    "no JSON": (b'{"email": ', "It is not valid JSON."),
    "deep": (b"[" * 60_000, "It is not valid JSON."),
    "a list": (b"[1]", "It is not a JSON object."),
    "a huge number": (b'{"email": ' + b"9" * 5_000 + b"}", "It is not valid JSON."),
    "a number for an address": (b'{"email": 5}', "email: This must be text."),
    "no address": (b'{"username": "Erin"}', "email: It is missing."),
    "no good address": (
        b'{"email": "erin@example"}',
        "email: This is not a valid e-mail address: its domain has no dot.",
    ),
    "two addresses": (
        b'{"email": "a@example.com,b@example.com"}',
        "email: This is not a valid e-mail address: its domain has a character that is not allowed there.",
    ),
    "a header of mail": (b'{"email": "a@example.com\\r\\nBcc: b@example.com"}', "email: This is not a valid e-mail"),
    "a long name": (
        b'{"email": "erin@example.com", "username": "' + b"x" * 151 + b'"}',
        "username: A display name has",
    ),
    "a field by mistake": (b'{"email": "erin@example.com", "pasword": "x"}', "The field 'pasword' is unknown."),
    "a bad flag": (b'{"email": "erin@example.com", "is_active": "maybe"}', "is_active: This must be true or false."),
    "a flag that is a list": (b'{"email": "erin@example.com", "is_active": [1]}', "is_active: This must be true or"),
    "the year 1": (
        b'{"email": "erin@example.com", "created_at": "0001-01-01T00:00:00+14:00"}',
        "created_at: This must",
    ),
    "the year 9999": (
        b'{"email": "erin@example.com", "created_at": "9999-12-31T23:59:59-14:00"}',
        "created_at: This mu",
    ),
    "milliseconds": (b'{"email": "erin@example.com", "created_at": 1700000000000}', "created_at: This must be a time"),
    "a bad id": (b'{"email": "erin@example.com", "id": -1}', "id: This must be a whole number from 0."),
    "an id that is true": (b'{"email": "erin@example.com", "id": true}', "id: This must be a whole number from 0."),
    "a weak hash": (b'{"email": "erin@example.com", "password_hash": "md5$a$b"}', "password_hash: A hash of this kind"),
    "two passwords": (
        json.dumps({"email": "erin@example.com", "password": "correct horse", "password_hash": HASH}).encode(),
        "password: There is a password_hash, too",
    ),
    "100 MB": (b'{"email": "' + b"x" * 100_000_000 + b'"}', f"It is longer than {MAX_LINE_BYTES} bytes."),
}
ROWS = {
    "too few cells": (b"erin@example.com,Erin", "It has 2 cells for 3 columns."),
    "too many cells": (b"erin@example.com,Erin,,x", "It has 4 cells for 3 columns."),
    "an open quote": (b'erin@example.com,"Erin,', "Its quotes do not match."),
    "a quote in the middle": (b'erin@example.com,"Er"in",', "Its quotes do not match."),
    "no UTF-8": (b"erin@example.com,\xc3\x28,", "It is not UTF-8."),
    "a NUL": (b"erin@example.com,a\0b,", "username: This has an invalid character."),
    "a lone carriage return": (b"erin@example.com,a\rb,", "Its quotes do not match."),
    "100 MB": (b"x" * 100_000_000, f"It is longer than {MAX_LINE_BYTES} bytes."),
}


def errors_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().err.splitlines() if line.strip().startswith("line")]


@pytest.mark.parametrize(("bad", "sentence"), OBJECTS.values(), ids=OBJECTS)
def test_users_import_reports_an_invalid_json_line_and_imports_the_others(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str], bad: bytes, sentence: str
) -> None:
    done = import_users(GOOD, bad + b"\n", b'\n  \n{"email": "frank@example.com"}')
    assert (done.exit_code, done.counts) == (1, (2, 0, 1))
    (error,) = errors_of(capsys)
    assert error.startswith(f"line 2: {sentence}")
    assert len(error) < 200


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize(("bad", "sentence"), ROWS.values(), ids=ROWS)
def test_users_import_reports_an_invalid_csv_row_and_imports_the_others(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str], ends: bytes, bad: bytes, sentence: str
) -> None:
    rows = [HEAD.strip(), b"dave@example.com,Dave,", bad, b"", b"frank@example.com,Frank,", b"gina@example.com,Gina,"]
    done = import_users(*(row + ends for row in rows), name="users.csv")
    assert (done.exit_code, done.counts) == (1, (3, 0, 1))
    assert errors_of(capsys) == [f"line 3: {sentence}"]


def test_users_import_ignores_a_byte_order_mark(import_users: ImportUsers) -> None:
    assert import_users(b"\xef\xbb\xbf" + HEAD, b"dave@example.com,Dave,\n", name="users.csv").counts == (1, 0, 0)
    assert import_users(b"\xef\xbb\xbf" + b'{"email": "erin@example.com"}').counts == (1, 0, 0)


def test_users_import_keeps_display_names_unchanged(import_users: ImportUsers) -> None:
    names = ["=1+1", "+49", "-x", "@sum", '"', "a,b", "a\nb\nc", "'", "''=x", "Łódź 🗝", "<script>", "\u202eabc", " x "]
    records = [{"email": f"user.{number}@example.com", "username": name} for number, name in enumerate(names)]
    assert import_users(*records).counts == (len(names), 0, 0)
    assert list(User.objects.order_by("email").values_list("username", flat=True)) == [
        one["username"] for one in sorted(records, key=lambda one: one["email"])
    ]


def test_users_import_with_an_unclosed_quote_rejects_only_its_own_row(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [b"user.%d@example.com,User,\n" % number for number in range(1_000)]
    rows[5], rows[700] = b'user.5@example.com,"User,\n', b'user.700@example.com,"User,\n'
    assert import_users(HEAD, *rows, name="users.csv").counts == (998, 0, 2)
    assert errors_of(capsys) == ["line 7: Its quotes do not match.", "line 702: Its quotes do not match."]


def test_users_import_prints_at_most_20_errors_or_writes_all_to_the_rejects_file(
    import_users: ImportUsers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [{"email": "mallory"}] * 25
    assert import_users(*bad).counts == (0, 0, 25)
    errors = capsys.readouterr().err
    assert errors.count("email: This is not a valid e-mail address: it has no at sign.") == 20
    assert "and 5 more errors; --rejects FILE writes all of them." in errors
    assert import_users(*bad, options=("--rejects", str(tmp_path / "bad.txt"))).counts == (0, 0, 25)
    assert "email:" not in capsys.readouterr().err
    assert (tmp_path / "bad.txt").read_text().splitlines() == [
        f"line {number}: email: This is not a valid e-mail address: it has no at sign." for number in range(1, 26)
    ]


@given(
    ADDRESSES | st.text() | st.builds("{}@{}".format, st.text(), st.sampled_from(["example.com", "É.example", "a..b"]))
)
@example("a@test")
@example("a" * 65 + "@example.com")
@example("a@" + "b." * 120 + "com")
@example("a" * 62 + "@" + ("b" * 62 + ".") * 3 + "com")
@example("a@xn--bcher-kva.example")
@example("a.@example.com")
@example("a@-b.com")
@example("a@1.2.3.4")
def test_normalize_email_cached_equals_normalize_email_for_any_text(text: str) -> None:
    try:
        quickly = addresses.normalize_email_cached(text)
    except ValueError:
        quickly = None
    assert quickly == canonical_or_none(text)


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["true", "2020-01-01", HASH])
)
VALUES = st.dictionaries(st.sampled_from(sorted(IMPORT_FIELDS - {"password"})), SCALARS | st.lists(SCALARS, max_size=2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    values=VALUES, email=st.none() | st.emails(), import_options=st.builds(ImportOptions, st.booleans(), st.booleans())
)
def test_users_import_continues_after_records_with_any_values(
    db: None, values: dict[str, object], email: str | None, import_options: ImportOptions
) -> None:
    before = User.objects.count()
    records = [
        SourceRecord("line 1", 1, values | ({"email": email} if email else {})),
        SourceRecord("line 2", 2, values),
    ]
    (batch,) = take_records_in(records, import_options)
    assert batch.processed == 2
    assert User.objects.count() == before + batch.added
