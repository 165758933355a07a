"""latchkey users export: all users in the format that import reads."""

import csv
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.import_export.csv_format import _unescape, escape_formula
from latchkey.import_export.record import EXPORT_FIELDS
from tests.import_export.conftest import ImportRun
from tests.import_export.legacy_hashes import HASH_FORMATS, hash_in_format
from tests.people import Person

FORMS = pytest.mark.parametrize("form", ["csv", "jsonl"])
NAMES = [
    "",
    "Alice",
    "=1+1",
    "'=x",
    "'a",
    "''",
    '"quoted", with a comma',
    "two\nlines",
    "a\rb",
    " x ",
    "Łódź 🗝",
    "\u2028",
]


def export(file: Path, *options: str) -> None:
    call_command("users", "export", str(file), *options)


def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in User.objects.order_by("id").values()]


@pytest.fixture
def records_of_every_kind(db: None) -> list[dict[str, Any]]:
    """Records of every kind: one for each hash format, and names with every special character."""
    hashes = [*(hash_in_format(kind) for kind in HASH_FORMATS), "!unusable"]
    records: list[dict[str, Any]] = [
        {"email": f"user.{number}@example.com", "password_hash": text} for number, text in enumerate(hashes)
    ]
    records += [{"email": f"+named.{number}@example.com", "username": name} for number, name in enumerate(NAMES)]
    records += [{"email": "boss@example.com", "is_staff": True, "is_superuser": True, "email_verified": True}]
    records += [{"email": "u@bücher.example", "is_active": False, "created_at": "2001-02-03T04:05:06.000007Z"}]
    return records


@pytest.mark.slow
@FORMS
def test_users_export_and_import_restore_every_field(
    records_of_every_kind: list[dict[str, Any]], import_users: Callable[..., ImportRun], tmp_path: Path, form: str
) -> None:
    assert import_users(*records_of_every_kind, options=("--with-staff",)).exit_code == 0
    before = rows()
    export(tmp_path / f"all.{form}")
    User.objects.all().delete()
    done = ImportRun(tmp_path / f"all.{form}", "--keep-ids", "--with-staff")
    assert done.counts == (len(records_of_every_kind), 0, 0)
    assert rows() == before
    assert ImportRun(tmp_path / f"all.{form}", "--keep-ids").counts == (0, len(records_of_every_kind), 0)


@pytest.mark.hashing
@FORMS
def test_users_export_has_every_field_in_order_and_can_leave_out_hashes(
    alice: Person, tmp_path: Path, form: str
) -> None:
    def fields(*options: str) -> list[str]:
        file = tmp_path / f"{len(options)}.{form}"
        export(file, *options)
        text = file.read_text()
        assert ("argon2" in text) != bool(options)
        first = text.splitlines()[0]
        return first.split(",") if form == "csv" else list(json.loads(first))

    assert fields() == list(EXPORT_FIELDS)
    assert fields("--without-hashes") == [name for name in EXPORT_FIELDS if name != "password_hash"]
    events = AuditEvent.objects.filter(name="users.exported").order_by("id")
    assert list(events.values_list("detail", flat=True)) == ["1", "1 without hashes"]


def test_users_export_writes_a_file_with_mode_0600_and_overwrites_only_with_force(
    alice: Person, tmp_path: Path
) -> None:
    file = tmp_path / "all.csv"
    file.write_text("kept")
    with pytest.raises(ImproperlyConfigured, match="exists already; --force overwrites it"):
        export(file)
    assert file.read_text() == "kept"
    export(file, "--force")
    assert alice.email in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["all.csv"]


def test_users_export_that_fails_leaves_no_file(alice: Person, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for target in (tmp_path / "folder.csv", tmp_path / "away" / "all.csv", Path("/dev/null")):
        with pytest.raises(ImproperlyConfigured):
            export(target, "--force", "--format", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]
    assert Path("/dev/null").is_char_device()


def test_users_export_without_users_writes_the_header_only(db: None, tmp_path: Path) -> None:
    export(tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_text() == ",".join(EXPORT_FIELDS) + "\n"
    assert ImportRun(tmp_path / "all.csv").counts == (0, 0, 0)


def test_users_export_escapes_csv_cells_that_look_like_formulas(
    import_users: Callable[..., ImportRun], tmp_path: Path
) -> None:
    formulas = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    import_users(*({"email": f"{number}@example.com", "username": name} for number, name in enumerate(formulas)))
    import_users({"email": "=1+1@example.com"})
    export(tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert len([cell for cell in cells if cell.startswith("'")]) == len(formulas) + 1
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@given(st.text() | st.text("'=+-@\t\ra"))
@example("'")
@example("''=")
def test_unescape_reverses_escape_formula_for_any_text(cell: str) -> None:
    assert _unescape(escape_formula(cell)) == cell


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=150))
@FORMS
def test_users_export_and_import_restore_any_display_name(db: None, tmp_path: Path, name: str, form: str) -> None:
    User.objects.all().delete()
    User.objects.bulk_create([User(email="dave@example.com", password="!", username=name)])
    export(tmp_path / f"all.{form}", "--force")
    User.objects.all().delete()
    assert ImportRun(tmp_path / f"all.{form}").counts == (1, 0, 0)
    assert User.objects.get().username == name
