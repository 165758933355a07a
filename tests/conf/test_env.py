"""Secrets from files, and environment variables that look like ours and have no effect."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from latchkey.conf.env import MAX_SECRET_BYTES, Env


@pytest.mark.parametrize(
    ("content", "secret"),
    [("pa55word", "pa55word"), ("pa55word\n", "pa55word"), ("pa55word\r\n", "pa55word"), (" pä55 \n\n", " pä55 \n")],
)
def test_secret_is_read_from_the_file_that_the_variable_names(tmp_path: Path, content: str, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content.encode())
    assert Env({"KEY_FILE": str(file)}).get_secret("KEY", "default") == secret
    assert Env({"KEY_FILE": str(file), "KEY": ""}).get_secret("KEY", "default") == secret
    assert Env({"KEY_FILE": "", "KEY": secret}).get_secret("KEY", "default") == secret
    assert Env({}).get_secret("KEY", "default") == "default"


def test_secrets_of_a_file_are_separated_by_commas_or_lines(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text("one, two\nthree\n\n")
    assert Env({"KEYS_FILE": str(file)}).get_secrets("KEYS") == ["one", "two", "three"]
    assert Env({"KEYS": "one, two"}).get_secrets("KEYS") == ["one", "two"]
    assert Env({}).get_secrets("KEYS") == []


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"pa55word\xff", "is not UTF-8"),
        (b"pa55\0word", "has a NUL byte"),
        (b"x" * (MAX_SECRET_BYTES + 1), f"is larger than {MAX_SECRET_BYTES} bytes"),
    ],
)
def test_file_that_has_no_secret_is_refused_by_the_name_of_its_variable(
    tmp_path: Path, content: bytes, what: str
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ImproperlyConfigured) as caught:
        Env({"KEY_FILE": str(file)}).get_secret("KEY", "")
    assert str(caught.value) == f"KEY_FILE names {str(file)!r}, which {what}."


def test_file_that_cannot_be_read_is_refused_by_the_name_of_its_variable(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "missing", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(ImproperlyConfigured) as caught:
            Env({"KEY_FILE": str(path)}).get_secret("KEY", "")
        assert str(caught.value) == f"KEY_FILE names {str(path)!r}, which cannot be read: {why}."


def test_secret_in_the_variable_and_in_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("pa55word")
    with pytest.raises(ImproperlyConfigured) as caught:
        Env({"KEY": "pa55word", "KEY_FILE": str(file)}).get_secret("KEY", "")
    assert str(caught.value) == "KEY and KEY_FILE are both set; remove one of them."


def test_unknown_variables_have_the_name_that_they_may_stand_for() -> None:
    variables = dict.fromkeys(
        (
            *("LATCHKEY_MODE", "LATCHKEY_PUBLIC_ULR", "LATCHKEY_ALLOWED_HOST", "latchkey_public_url", "LATCHKEY_FOO"),
            *("LATCHKEY_EMAIL_URL", "LATCHKEY_SECRET_KEY_FIEL", "LATCH_KEY_MODE", "LATCHEY_MODE", "LANG", "LS_COLORS"),
        ),
        "",
    )
    env = Env(variables)
    for name in ("LATCHKEY_MODE", "LATCHKEY_PUBLIC_URL", "LATCHKEY_ALLOWED_HOSTS", "EMAIL_URL"):
        env.get_str(name, "")
    env.get_secret("LATCHKEY_SECRET_KEY", "")
    assert env.unknown_names() == {
        "LATCHEY_MODE": "LATCHKEY_MODE",
        "LATCHKEY_ALLOWED_HOST": "LATCHKEY_ALLOWED_HOSTS",
        "LATCHKEY_EMAIL_URL": "EMAIL_URL",
        "LATCHKEY_FOO": "",
        "LATCHKEY_PUBLIC_ULR": "LATCHKEY_PUBLIC_URL",
        "LATCHKEY_SECRET_KEY_FIEL": "LATCHKEY_SECRET_KEY_FILE",
        "LATCH_KEY_MODE": "LATCHKEY_MODE",
        "latchkey_public_url": "LATCHKEY_PUBLIC_URL",
    }
