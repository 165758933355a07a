"""latchkey users import: which users are added, and with which fields."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.import_export.importer import BATCH_SIZE
from tests.import_export.conftest import ImportRun, to_csv
from tests.import_export.legacy_hashes import crypt_bcrypt, passlib_pbkdf2
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem

ImportUsers = Callable[..., ImportRun]
Users = Callable[[], dict[str, User]]
FORMATS = pytest.mark.parametrize("form", ["csv", "jsonl"])
DAVE = {"email": "Dave@Example.com", "password_hash": crypt_bcrypt(4), "username": "Dave Davis"}
DAVE |= {"created_at": "2020-01-31T12:00:00Z", "email_verified_at": "2020-02-01T13:00:00.25+01:00"}
ERIN = {"email": "erin@example.com", "username": "", "password_hash": passlib_pbkdf2("sha256", 1_000)}


def run_import(
    import_users: ImportUsers, form: str, *records: dict[str, str], options: tuple[str, ...] = ()
) -> ImportRun:
    if form == "csv":
        return import_users(to_csv(*records), name="users.csv", options=options)
    return import_users(*records, options=options)


@pytest.mark.hashing
@FORMATS
def test_users_import_adds_users_who_sign_in_with_their_existing_password(
    alice: Person, import_users: ImportUsers, users: Users, form: str
) -> None:
    done = run_import(import_users, form, DAVE, ERIN)
    assert (done.exit_code, done.output) == (0, "2 added, 0 already present, 0 rejected.\n")
    dave = users()["dave@example.com"]
    assert (dave.username, dave.is_active, dave.is_staff, dave.credential_version) == ("Dave Davis", True, False, 0)
    assert dave.created_at == datetime(2020, 1, 31, 12, tzinfo=UTC)
    assert dave.email_verified_at == datetime(2020, 2, 1, 12, 0, 0, 250_000, tzinfo=UTC)
    assert users()["erin@example.com"].email_verified_at is None
    for email in ("dave@example.com", "erin@example.com"):
        assert Person(alice.http, email).login().me().json()["email"] == email
        assert users()[email].password.startswith("argon2$")


def test_users_import_records_an_event_with_the_number_of_users(import_users: ImportUsers) -> None:
    import_users(DAVE, ERIN)
    assert list(AuditEvent.objects.values_list("name", "detail")) == [("users.imported", "2")]


@FORMATS
def test_users_import_does_not_change_existing_users(
    alice: Person, import_users: ImportUsers, users: Users, form: str
) -> None:
    before = User.objects.filter(pk=alice.id).values().get()
    other = {"email": "ALICE@example.com", "username": "Mallory", "password_hash": crypt_bcrypt(4, password="mallory")}
    assert run_import(import_users, form, other, DAVE).counts == (1, 1, 0)
    assert run_import(import_users, form, other, DAVE).counts == (0, 2, 0)
    assert User.objects.filter(pk=alice.id).values().get() == before
    assert alice.me().status_code == 200
    assert alice.login()


def test_users_import_adds_variants_of_an_email_address_once(import_users: ImportUsers, users: Users) -> None:
    variants = [
        "Dave@Example.com",
        " dave@example.com",
        "DAVE@EXAMPLE.COM",
        "u@BÜCHER.example",
        "U@xn--bcher-kva.example",
    ]
    assert import_users(*({"email": variant} for variant in variants)).counts == (2, 3, 0)
    assert set(users()) == {"dave@example.com", "u@bücher.example"}


@FORMATS
def test_users_import_without_a_hash_sets_an_unusable_password(
    alice: Person, import_users: ImportUsers, users: Users, form: str
) -> None:
    run_import(import_users, form, {"email": "dave@example.com", "password_hash": ""}, {"email": "erin@example.com"})
    for email in ("dave@example.com", "erin@example.com"):
        assert not users()[email].has_usable_password()
        assert_problem(try_login(alice.http, email), 401, "invalid_credentials")


def test_users_import_keeps_inactive_users_inactive(alice: Person, import_users: ImportUsers) -> None:
    import_users({**DAVE, "is_active": False})
    assert_problem(try_login(alice.http, "dave@example.com"), 401, "invalid_credentials")


@FORMATS
def test_users_import_keeps_staff_flags_only_with_the_with_staff_option(
    import_users: ImportUsers, users: Users, form: str
) -> None:
    boss = {"email": "boss@example.com", "is_staff": "true", "is_superuser": "1"}
    run_import(import_users, form, boss)
    assert not users()["boss@example.com"].is_staff
    assert not users()["boss@example.com"].is_superuser
    run_import(import_users, form, {**boss, "email": "chief@example.com"}, options=("--with-staff",))
    assert users()["chief@example.com"].is_staff
    assert users()["chief@example.com"].is_superuser


@pytest.mark.hashing
def test_users_import_hashes_plaintext_passwords_and_applies_the_password_policy(
    alice: Person, import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    dave, erin = {"email": "dave@example.com", "password": PASSWORD}, {"email": "erin@example.com", "password": "erin"}
    assert import_users(dave, erin, {**dave, "email": alice.email}).counts == (1, 1, 1)
    errors = capsys.readouterr().err
    assert "Plain-text passwords are hashed one by one" in errors
    assert "line 2: password: " in errors
    assert PASSWORD not in errors
    assert Person(alice.http, "dave@example.com").login().me().status_code == 200


def test_users_import_of_email_verified_without_a_time_stores_the_current_time(
    import_users: ImportUsers, users: Users
) -> None:
    import_users(
        {"email": "dave@example.com", "email_verified": True}, {"email": "erin@example.com", "email_verified": False}
    )
    verified = users()["dave@example.com"].email_verified_at
    assert verified
    assert datetime.now(UTC) - verified < timedelta(minutes=1)
    assert users()["erin@example.com"].email_verified_at is None


def test_users_import_with_keep_ids_keeps_ids_and_never_reuses_them(
    alice: Person, import_users: ImportUsers, users: Users
) -> None:
    dave, erin = {**DAVE, "id": alice.id + 1000}, {**ERIN, "id": str(alice.id + 500)}
    assert import_users(dave, erin, options=("--keep-ids",)).counts == (2, 0, 0)
    assert users()["dave@example.com"].pk == alice.id + 1000
    assert users()["erin@example.com"].pk == alice.id + 500
    assert Person(alice.http, "carol@example.com").register().id == alice.id + 1001
    assert import_users({**DAVE, "email": "frank@example.com", "id": 7 + 10**6}).counts == (1, 0, 0)
    assert users()["frank@example.com"].pk == alice.id + 1002


def test_users_import_with_keep_ids_accepts_the_id_0(import_users: ImportUsers, users: Users) -> None:
    assert import_users({**DAVE, "id": 0}, options=("--keep-ids",)).counts == (1, 0, 0)
    assert users()["dave@example.com"].pk == 0


def test_users_import_with_keep_ids_rejects_missing_and_conflicting_ids(
    alice: Person, import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    taken, moved = {**DAVE, "id": alice.id}, {"email": alice.email, "id": alice.id + 7}
    same, none, twice = {"email": alice.email, "id": alice.id}, ERIN, {**ERIN, "id": alice.id + 9}
    done = import_users(taken, moved, same, none, twice, {**twice, "id": alice.id + 10}, options=("--keep-ids",))
    assert (done.exit_code, done.counts) == (1, (1, 1, 4))
    assert [line.strip() for line in capsys.readouterr().err.splitlines() if "line " in line] == [
        "line 4: id: It is missing, and --keep-ids needs it.",
        "line 1: id: Another user has it.",
        "line 2: email: A user with this address and another id exists already.",
        "line 6: email: A user with this address and another id exists already.",
    ]
    assert User.objects.get(pk=alice.id).email == alice.email


def test_users_import_with_from_line_skips_the_lines_before(
    import_users: ImportUsers, users: Users, tmp_path: Path
) -> None:
    records = [{"email": f"user.{number}@example.com"} for number in range(5)]
    assert import_users(*records, options=("--from-line", "4")).counts == (2, 0, 0)
    assert import_users(to_csv(*records), name="users.csv", options=("--from-line", "4")).counts == (1, 2, 0)
    assert set(users()) == {f"user.{number}@example.com" for number in (2, 3, 4)}
    assert import_users(*records, options=("--from-line", "99")).counts == (0, 0, 0)


def test_users_import_of_several_batches_adds_every_user(import_users: ImportUsers) -> None:
    records = [{"email": f"user.{number}@example.com", "password_hash": "!x"} for number in range(12 * BATCH_SIZE + 34)]
    assert import_users(*records).counts == (len(records), 0, 0)
    assert User.objects.count() == len(records)
