"""normalize_email: one canonical form for each e-mail address."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from latchkey.accounts.models import EMAIL_MAX_LENGTH, normalize_email

LETTERS = st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12)
ADDRESSES = (
    st.emails() | st.builds("{}@{}.example".format, LETTERS, LETTERS) | st.builds("{}@a.{}".format, LETTERS, LETTERS)
)


def canonical_or_none(text: str) -> str | None:
    try:
        return normalize_email(text)
    except ValueError:
        return None


@given(st.text() | st.builds("{}@{}".format, st.text(), st.text()))
@example("\ud800@example.com")
@example("a@\ud800.com")
@example("a@xn--\u00fc.com")
@example("@" * 300)
def test_normalize_email_returns_an_address_or_raises_value_error_for_any_text(text: str) -> None:
    address = canonical_or_none(text)  # any other exception fails the test
    assert address is None or ("@" in address and len(address) <= EMAIL_MAX_LENGTH)


@given(ADDRESSES)
@example("İ@example.com")
@example("a@İ.example")
@example("ΑΣ@example.com")
@example("ǅ@ǅ.example")
@example("a@faß.example")
@example("a@xn--fa-hia.example")
def test_normalize_email_is_idempotent(text: str) -> None:
    address = canonical_or_none(text)
    assume(address is not None)
    assert address is not None
    assert normalize_email(address) == address
    assert address == address.strip().lower() == unicodedata.normalize("NFC", address)
    assert 0 < len(address) <= EMAIL_MAX_LENGTH
    assert address.count("@") == 1


@given(ADDRESSES, st.sampled_from([" ", "\t", "\r\n", "  "]))
def test_normalize_email_strips_surrounding_whitespace(text: str, space: str) -> None:
    assert canonical_or_none(f"{space}{text}{space}") == canonical_or_none(text)


@given(st.from_regex(r"[a-z0-9]{1,10}@[a-z]{2,10}\.(com|example)", fullmatch=True))
def test_normalize_email_lowercases_an_ascii_address(text: str) -> None:
    assert normalize_email(text) == normalize_email(text.upper()) == text


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("User@Example.COM", "user@example.com"),
        ("u@xn--bcher-kva.example", "u@bücher.example"),
        ("u@BÜCHER.example", "u@bücher.example"),
        ("e\u0301@example.com", "é@example.com"),
        ("u@\uff45xample.com", "u@example.com"),
    ],
)
def test_normalize_email_lowercases_decodes_punycode_and_composes_unicode(text: str, address: str) -> None:
    assert normalize_email(text) == address


@pytest.mark.parametrize("text", ["x", "a@b", "\x00@example.com", "x" * 300])
def test_normalize_email_error_is_a_sentence_without_the_input(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[A-Z][^@\x00]+\.$"):
        normalize_email(text)


@pytest.mark.ledger("RFC5321-4.5.3")
@pytest.mark.parametrize("local", [64, 65])
def test_normalize_email_accepts_a_local_part_of_at_most_64_characters(local: int) -> None:
    text = "a" * local + "@example.com"
    assert canonical_or_none(text) == (text if local == 64 else None)
