"""CSV files as spreadsheets write them: delimiters, encodings, line ends, empty columns and rows."""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import example, given
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.import_export.csv_format import parse_header
from latchkey.import_export.encodings import HEAD_BYTES
from latchkey.import_export.reader import read_file
from latchkey.import_export.source_lines import count_lines, read_lines
from tests.import_export.conftest import ImportRun
from tests.import_export.legacy_hashes import crypt_bcrypt

ImportUsers = Callable[..., ImportRun]
HASH = crypt_bcrypt(4)
PEOPLE = {"dave@example.com": "Dave, the first", "erin@example.com": "Érin; Łódź", "frank@example.com": 'Frank "F"\tX'}


def rows(delimiter: str, ends: str = "\r\n") -> str:
    """Return a file of three people as a spreadsheet writes it: every cell that needs quotes has them."""

    def cell(text: str) -> str:
        needs_quotes = any(mark in text for mark in (delimiter, '"'))
        return '"{}"'.format(text.replace('"', '""')) if needs_quotes else text

    head = delimiter.join(("email", "username", "password_hash"))
    return "".join(
        [head + ends, *(delimiter.join((email, cell(name), cell(HASH))) + ends for email, name in PEOPLE.items())]
    )


def assert_people() -> None:
    assert dict(User.objects.values_list("email", "username")) == PEOPLE
    assert all(password.endswith(HASH) for password in User.objects.values_list("password", flat=True))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_users_import_finds_out_delimiter_line_ends_and_encoding(
    import_users: ImportUsers, delimiter: str, ends: str, encoding: str
) -> None:
    done = import_users(rows(delimiter, ends).encode(encoding), name="users.csv")
    assert (done.exit_code, done.counts) == (0, (3, 0, 0)), done.output
    assert_people()


def test_users_import_reads_a_tsv_file_by_its_name(import_users: ImportUsers) -> None:
    assert import_users(rows("\t").encode(), name="users.tsv").counts == (3, 0, 0)


def test_users_import_reads_the_byte_order_mark_of_utf_16_big_endian(import_users: ImportUsers) -> None:
    content = b"\xfe\xff" + rows(";").encode("utf-16-be")
    assert import_users(content, name="users.csv").counts == (3, 0, 0)


EMPTY = {
    "columns at the end": "email;username;;;\ndave@example.com;Dave;;;\nerin@example.com;Erin;;;\n",
    "columns at the end of rows alone": "email;username\ndave@example.com;Dave;;;\nerin@example.com;Erin; ;\n",
    "columns at the end, fewer in some rows": "email;username;;;\ndave@example.com;Dave\nerin@example.com;Erin;\n",
    "a column in the middle": "email;;username\ndave@example.com;;Dave\nerin@example.com; ;Erin\n",
    "a column at the beginning": ";email;username\n;dave@example.com;Dave\n;erin@example.com;Erin\n",
    "rows": 'email;username\n;\ndave@example.com;Dave\n\n; ;\n"";""\nerin@example.com;Erin\n;;;;;\n;\n\n',
    "rows before the header": "\n;;\n\nemail;username\ndave@example.com;Dave\nerin@example.com;Erin\n",
    "a line with the delimiter": "sep=;\nemail;username\ndave@example.com;Dave\nerin@example.com;Erin\n",
    "no line end at the end": "email;username\ndave@example.com;Dave\nerin@example.com;Erin",
}


@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_users_import_leaves_empty_columns_and_rows_aside(import_users: ImportUsers, text: str, delimiter: str) -> None:
    done = import_users(text.replace(";", delimiter).encode(), name="users.csv")
    assert (done.exit_code, done.counts) == (0, (2, 0, 0))
    assert dict(User.objects.values_list("email", "username")) == {
        "dave@example.com": "Dave",
        "erin@example.com": "Erin",
    }


def errors_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.strip() for line in capsys.readouterr().err.splitlines() if line.strip().startswith("line")]


def test_users_import_still_reports_rows_of_another_width(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "email;username;password\ndave@example.com;Dave\nerin@example.com;Erin;;x\nfrank@example.com\ng@x.org;G;;\n"
    assert import_users(text.encode(), name="users.csv").counts == (1, 0, 3)
    assert errors_of(capsys) == [
        "line 2: It has 2 cells for 3 columns.",
        "line 3: It has 4 cells for 3 columns.",
        "line 4: It has 1 cell for 3 columns.",
    ]


def test_users_import_reports_a_cell_in_a_column_without_a_name(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_users(b"email;;username\ndave@example.com;x;Dave\n", name="users.csv").counts == (0, 0, 1)
    assert errors_of(capsys) == ["line 2: It has a cell in a column without a name."]


def test_users_import_numbers_the_lines_of_an_old_mac_file(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    content = b"email,username\rdave@example.com,Dave\r\rmallory,M\rerin@example.com,Erin\r"
    assert import_users(content, name="users.csv").counts == (2, 0, 1)
    assert errors_of(capsys) == ["line 4: email: This is not a valid e-mail address: it has no at sign."]
    options = ("--from-line", "5")
    assert import_users(content, name="users.csv", options=options).counts == (0, 1, 0)


def test_users_import_keeps_line_breaks_in_cells_of_an_old_mac_file(import_users: ImportUsers) -> None:
    content = b'email,username\rdave@example.com,"Dave\nDavidson"\rerin@example.com,Erin\r'
    assert import_users(content, name="users.csv").counts == (2, 0, 0)
    assert User.objects.get(email="dave@example.com").username == "Dave\nDavidson"


def test_users_import_reports_half_a_character_of_utf_16_and_reads_the_other_lines(
    import_users: ImportUsers, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "email;username\ndave@example.com;Dave\n".encode("utf-16")
    bad = "erin@example.com;".encode("utf-16-le") + b"\x00\xd8" + "\n".encode("utf-16-le")
    good = "frank@example.com;Frank\n".encode("utf-16-le")
    assert import_users(text + bad + good + b"\x41", name="users.csv").counts == (2, 0, 2)
    assert errors_of(capsys) == ["line 3: It is not UTF-8.", "line 5: It is not UTF-8."]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mail;name", "It has 2 columns, separated by a semicolon: 'mail', 'name'."),
        ("mail\tname\tx", "It has 3 columns, separated by a tab: 'mail', 'name', 'x'."),
        ("mail", "It has one column: 'mail'."),
        ("a,b,c,d,e,f,g", "separated by a comma: 'a', 'b', 'c', 'd', 'e' and 2 more."),
        ("x" * 100, f"It has one column: '{'x' * 40}'."),
        ("dave@example.com;secret", "It looks like a user: add a line with the names of the columns before it."),
        ('"', "It is empty."),
    ],
)
def test_header_without_email_is_refused_with_what_was_seen(text: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="'email' is not among them") as refused:
        parse_header(text)
    assert str(refused.value).endswith(sentence)
    assert "secret" not in str(refused.value)


def test_header_with_an_unknown_column_is_refused_with_what_was_seen() -> None:
    with pytest.raises(ImproperlyConfigured, match="The column 'passwort' is unknown") as refused:
        parse_header("email;passwort;username")
    assert str(refused.value).endswith("separated by a semicolon: 'email', 'passwort', 'username'.")


@pytest.mark.parametrize("ends", [b"\r", b"\n"])
def test_lines_of_a_large_file_are_the_same_in_every_encoding(ends: bytes) -> None:
    text = "email;username\n" + "".join(f"user.{number}@example.com;Ünï{number}\n" for number in range(5_000))
    expected = [line.text for line in read_lines(io.BytesIO(text.encode()))]
    assert len(expected) == 5_001
    assert len(text) > 2 * HEAD_BYTES
    for encoding in ("utf-8", "utf-16", "utf-16-be"):
        content = text.replace("\n", ends.decode()).encode(encoding)
        assert count_lines(io.BytesIO(content)) == 5_001
        assert [line.text.lstrip("\ufeff") for line in read_lines(io.BytesIO(content))] == expected


def test_reader_reads_a_pipe_that_delivers_single_bytes() -> None:
    reading, writing = os.pipe()

    def write() -> None:
        for byte in b"email;username\rdave@example.com;Dave\r":
            os.write(writing, bytes([byte]))
        os.close(writing)

    writer = Thread(target=write)
    with os.fdopen(reading, "rb") as pipe:
        writer.start()
        records = list(read_file(pipe, "csv", 1))
    writer.join()
    assert [record.values for record in records] == [{"email": "dave@example.com", "username": "Dave"}]


@example(b"\xff\xfe\x00\x00\x00\x00\x00\x01")  # UTF-32 beyond the last code point
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-16")))
def test_any_bytes_give_lines_or_one_sentence(content: bytes) -> None:
    with suppress(ImproperlyConfigured):
        lines = list(read_lines(io.BytesIO(content)))
        assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    with suppress(ImproperlyConfigured):
        assert all(record.values or record.error for record in read_file(io.BytesIO(content), "csv", 1))
