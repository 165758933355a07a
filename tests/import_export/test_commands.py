"""latchkey users import and export as processes: messages, exit codes and interruptions."""

import json
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from latchkey.import_export.importer import BATCH_SIZE
from tests.server import LATCHKEY, Server


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Server:
    """A machine with the command and an empty database, without a running server."""
    machine = Server(tmp_path, database_url)
    assert machine.command("migrate", "--verbosity", "0").returncode == 0
    return machine


def write_users(file: Path, count: int) -> Path:
    file.write_text(
        "".join(f'{{"email": "user.{number}@example.com", "password_hash": "!"}}\n' for number in range(count))
    )
    return file


def count(machine: Server) -> int:
    if url := machine.environment.get("DATABASE_URL"):
        with psycopg.connect(url) as server:
            return int(server.execute("SELECT count(*) FROM latchkey_user").fetchall()[0][0])
    with closing(sqlite3.connect(machine.folder / "var/latchkey.sqlite3", timeout=30)) as file:
        return int(file.execute("SELECT count(*) FROM latchkey_user").fetchall()[0][0])


def wait_for_some(machine: Server) -> None:
    """Wait until an import has added 1,000 users."""
    deadline = time.monotonic() + 60
    while count(machine) < 1_000:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_users_command_errors_print_one_sentence_and_exit_with_2(installation: Server) -> None:
    here = installation.folder
    files = {
        "empty.csv": b"",
        "headless.csv": b"alice@example.com,Alice\n",
        "twice.csv": b"email,email\n",
        "unknown.csv": b"email,passwort\n",
        "latin1.csv": "email,straße\n".encode("latin-1"),
        "latin1.jsonl": '{"email": "zoë@example.com"}\n'.encode("latin-1")[:20] + b"\n",
        "workbook.csv": b"PK\x03\x04\x14\x00",
        "users.xls": b"",
        "good.csv": b"email\n",
    }
    for name, content in files.items():
        (here / name).write_bytes(content)
    (here / "folder.csv").mkdir()
    mistakes = {
        (): "required: import | export",
        ("import",): "required: FILE",
        ("import", "away.csv"): "latchkey: 'away.csv' cannot be read: No such file or directory.",
        ("import", "folder.csv"): "latchkey: 'folder.csv' cannot be read: Is a directory.",
        ("import", "users.xls"): "latchkey: The name 'users.xls' does not say the format; add --format",
        ("import", "-"): "latchkey: The name '-' does not say the format; add --format",
        ("import", "good.csv", "--format", "xml"): "invalid choice: 'xml'",
        ("import", "good.csv", "--from-line", "0"): "'0' is not a whole number",
        ("import", "good.csv", "--rejects", "away/bad.txt"): "latchkey: 'away/bad.txt' cannot be written: No such",
        ("import", "empty.csv"): "latchkey: The first line cannot be read. The file is empty.",
        ("import", "headless.csv"): "latchkey: The first line must name the columns, and 'email' is not among them.",
        ("import", "twice.csv"): "latchkey: The first line names a column twice.",
        (
            "import",
            "unknown.csv",
        ): "latchkey: The column 'passwort' is unknown; remove it. Known columns: claims, created_at,",
        ("import", "latin1.csv"): "latchkey: The first line cannot be read. It is not UTF-8.",
        ("import", "latin1.jsonl"): "latchkey: The first line cannot be read. It is not UTF-8.",
        ("import", "workbook.csv"): "latchkey: The file is a workbook of a spreadsheet; save it as CSV.",
        ("export",): "latchkey: The name '-' does not say the format; add --format",
        ("export", "good.csv"): "latchkey: 'good.csv' exists already; --force overwrites it.",
        ("export", "away/all.csv"): "latchkey: 'away/all.csv' cannot be written: No such file or directory.",
    }
    for arguments, sentence in mistakes.items():
        done = installation.command("users", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), (arguments, done.stderr)
        assert sentence in done.stderr, arguments
        assert "Traceback" not in done.stderr


def test_users_import_and_export_work_on_standard_input_and_output(installation: Server) -> None:
    record = '{"email": "alice@example.com", "id": 7, "created_at": "2020-01-31T12:00:00Z", "password_hash": "!"}\n'
    done = installation.command("users", "import", "-", "--format", "jsonl", "--keep-ids", stdin=record)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 added, 0 already present, 0 rejected.")
    done = installation.command("users", "export", "-", "--format", "jsonl")
    assert done.returncode == 0
    assert json.loads(done.stdout)["id"] == 7
    assert len(done.stdout.splitlines()) == 1
    assert "users.exported" in done.stderr


def test_users_export_into_a_closed_pipe_ends_with_an_error_message(installation: Server) -> None:
    write_users(installation.folder / "all.jsonl", 5_000)
    assert installation.command("users", "import", "all.jsonl").returncode == 0
    process = subprocess.Popen(
        ["/bin/sh", "-c", '"$0" users export - --format csv | head -c 10', LATCHKEY],
        env=installation.environment,
        cwd=installation.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = process.communicate(timeout=60)
    assert len(output) == 10
    assert b"latchkey: '-' cannot be written: Broken pipe." in errors
    assert b"Exception ignored" not in errors


def test_users_import_stopped_by_ctrl_c_names_the_line_to_continue_from(installation: Server) -> None:
    file = write_users(installation.folder / "all.jsonl", 20_000)
    process = installation.spawn("users", "import", "all.jsonl", output=subprocess.PIPE)
    wait_for_some(installation)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    message = re.search(rb"Stopped. Imported up to line (\d+); continue with --from-line (\d+)\.", errors)
    assert message, errors
    there, last, start = count(installation), int(message[1]), int(message[2])
    assert 1_000 <= there < 20_000
    assert start == last + 1
    assert there - last in (0, BATCH_SIZE)  # a batch may have come in that nobody could tell of any more
    assert f"{last} added, 0 already present, 0 rejected.".encode() in output
    rest = installation.command("users", "import", "all.jsonl", "--from-line", str(start))
    assert rest.stdout.splitlines()[-1] == f"{20_000 - there} added, {there - last} already present, 0 rejected."
    again = installation.command("users", "import", file.name)
    assert again.stdout.splitlines()[-1] == "0 added, 20000 already present, 0 rejected."


def test_users_import_that_loses_the_database_names_the_line_to_continue_from(installation: Server) -> None:
    write_users(installation.folder / "all.jsonl", 20_000)
    process = installation.spawn("users", "import", "all.jsonl", output=subprocess.PIPE)
    wait_for_some(installation)
    with connections_cut(installation):
        output, errors = process.communicate(timeout=30)
    there = count(installation)
    assert process.returncode == 2, errors
    expected = (
        f"latchkey: Imported up to line {there}; continue with --from-line {there + 1}. The import stopped: ".encode()
    )
    assert errors.splitlines()[-1].startswith(expected), errors
    assert f"{there} added, 0 already present, 0 rejected.".encode() in output
    assert b"Traceback" not in errors


@contextmanager
def connections_cut(machine: Server) -> Iterator[None]:
    """End the connections to PostgreSQL, or lock SQLite for longer than the import waits."""
    if url := machine.environment.get("DATABASE_URL"):
        with psycopg.connect(url, autocommit=True) as server:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            server.execute(f"{others} AND datname = current_database()".encode())
        yield
        return
    with closing(sqlite3.connect(machine.folder / "var/latchkey.sqlite3", isolation_level=None, timeout=30)) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.rollback()


def test_users_import_that_is_killed_leaves_whole_batches_and_can_be_repeated(installation: Server) -> None:
    write_users(installation.folder / "all.jsonl", 20_000)
    process = installation.spawn("users", "import", "all.jsonl", output=subprocess.DEVNULL)
    wait_for_some(installation)
    process.kill()
    process.wait(10)
    there = count(installation)
    assert there % BATCH_SIZE == 0
    again = installation.command("users", "import", "all.jsonl")
    assert again.stdout.splitlines()[-1] == f"{20_000 - there} added, {there} already present, 0 rejected."


def test_users_export_stopped_by_ctrl_c_leaves_no_file(installation: Server) -> None:
    write_users(installation.folder / "all.jsonl", 20_000)
    assert installation.command("users", "import", "all.jsonl").returncode == 0
    process = installation.spawn("users", "export", "out.csv", output=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not list(installation.folder.glob(".out.csv.*")):
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, list(installation.folder.glob("*out.csv*"))) == (130, []), errors
    assert b"Stopped. No file was written." in errors


def test_import_from_command_accepts_a_hyphen_or_an_underscore(installation: Server) -> None:
    for name in ("import-from", "import_from"):
        done = installation.command(name, "knox")
        assert (done.returncode, done.stderr) == (0, "")
        assert "POST /api/login/" in done.stdout
    assert "invalid choice: 'axes'" in installation.command("import-from", "axes").stderr
    assert installation.command("import-from").returncode == 2
