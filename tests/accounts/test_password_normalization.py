"""Passwords are used exactly as sent (NFC apart), in any script and in full length."""

import unicodedata
from typing import Literal

import httpx
import pytest

from latchkey.accounts.models import User
from tests.people import Person, try_login, try_register
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes

Form = Literal["NFC", "NFD"]
ASCII = "".join(map(chr, range(32, 127)))
ALIKE = ["\uff50assword one", "\u0440assword one", "passwor\u24d3 one", "password\u00a0one", "password\u200b one"]


@pytest.mark.ledger("NIST-3.1.1.2-2", "NIST-3.1.1.2-3", "NIST-3.1.1.2-5")
@pytest.mark.parametrize(
    "password",
    [
        *(
            ASCII,
            " " * 8,
            "12345678",
            "aaaaaaaa",
            "正しい馬のバッテリー",
            "🔑👩\u200d👧" * 4,
            "\u200b" * 8,
            "a\n\tb\r\nc\x01\x7f",
        ),
        *("x" * 64, "x" * 256, "🔑" * 256, "' OR 1=1 --", "<script>alert(1)</script>", "\\u0041\\x00%00"),
    ],
)
def test_register_and_login_accept_any_characters_in_a_password(http: httpx.Client, password: str) -> None:
    assert try_register(http, password=password).status_code == 201
    assert try_login(http, password=password).status_code == 200
    assert_problem(try_login(http, password=password[:-1] + "!"), 401, "invalid_credentials")


@pytest.mark.ledger("NIST-3.1.1.2-2", "H-PW-01")
@pytest.mark.parametrize("length", [257, 10_000, 60_000])
def test_register_and_login_reject_a_password_over_256_characters(alice: Person, length: int) -> None:
    with nothing_changes():
        answer = try_register(alice.http, "bob@example.com", "x" * length)
        assert_problem(answer, 400, "password_too_long", ["password"])
        assert_problem(try_login(alice.http, password="x" * length), 400, "password_too_long", ["password"])


@pytest.mark.ledger("H-PW-01")
def test_register_and_login_with_a_password_of_a_megabyte_return_413(alice: Person) -> None:
    megabyte = "x" * 1_000_000
    with nothing_changes():
        for answer in (try_register(alice.http, password=megabyte), try_login(alice.http, password=megabyte)):
            assert_problem(answer, 413, "content_too_large")


@pytest.mark.ledger("NIST-3.1.1.2-9", "H-PW-04")
@pytest.mark.parametrize(("set_as", "typed_as"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_login_accepts_the_composed_and_the_decomposed_form_of_a_password(
    http: httpx.Client, set_as: Form, typed_as: Form
) -> None:
    text = "Zoë's café Ångström"
    one, other = unicodedata.normalize(set_as, text), unicodedata.normalize(typed_as, text)
    assert one != other
    assert try_register(http, password=one).status_code == 201
    assert try_login(http, password=other).status_code == try_login(http, password=one).status_code == 200


@pytest.mark.ledger("H-PW-04")
@pytest.mark.parametrize("alike", ALIKE)
def test_login_rejects_a_password_of_lookalike_characters(http: httpx.Client, alike: str) -> None:
    assert try_register(http, password="password one").status_code == 201
    assert_problem(try_login(http, password=alike), 401, "invalid_credentials")
    assert try_login(http, password="password one").status_code == 200


@pytest.mark.ledger("NIST-3.1.1.2-8", "ASVS-6.2.8")
def test_passwords_are_not_trimmed_case_folded_or_truncated(http: httpx.Client) -> None:
    password = "  A b  " + "c" * 80 + "\n"
    assert try_register(http, password=password).status_code == 201
    for other in (password.strip(), password[:-1], password[1:], password.lower(), password.upper(), password[:72]):
        assert_problem(try_login(http, password=other), 401, "invalid_credentials")
    assert try_login(http, password=password).status_code == 200


@pytest.mark.ledger("H-PW-03")
@pytest.mark.parametrize("at", [72, 73, 128, 255])
def test_login_rejects_a_password_that_differs_after_the_72nd_character(http: httpx.Client, at: int) -> None:
    assert try_register(http, password="x" * 256).status_code == 201
    assert_problem(try_login(http, password="x" * at + "y" + "x" * (255 - at)), 401, "invalid_credentials")


def test_password_minimum_length_counts_characters_of_the_composed_form(http: httpx.Client) -> None:
    assert_problem(try_register(http, password="e\u0301" * 7), 400, "password_too_short", ["password"])
    assert not User.objects.exists()
    assert try_register(http, password="e\u0301" * 8).status_code == 201
