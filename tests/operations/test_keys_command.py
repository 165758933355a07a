"""latchkey keys list, rotate and retire: effects, output and errors."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from latchkey.signing_keys import rotation
from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.startup import prepare_keys
from latchkey.tokens.jwk import generate
from tests.server import Server
from tests.support.captured_log import CapturedLog

PLANNED = timedelta(minutes=10)
VERIFIES = timedelta(minutes=61)


def keys(*arguments: str) -> str:
    output = StringIO()
    call_command("keys", *arguments, stdout=output)
    return output.getvalue()


def states() -> list[str]:
    return [row["state"] for row in json.loads(keys("list", "--json"))]


def kids() -> list[str]:
    return [row["kid"] for row in json.loads(keys("list", "--json"))]


@pytest.fixture
def first(clock: time_machine.Traveller, db: None, settings: Any) -> str:
    """The kid of the first key, created at the start of a node."""
    settings.SIGNING_ALGORITHM = "EdDSA"
    prepare_keys()
    return kids()[0]


def test_keys_rotate_moves_keys_from_upcoming_through_signing_and_retiring_to_retired(
    clock: time_machine.Traveller, first: str
) -> None:
    output = keys("rotate")
    _, second = kids()
    assert output.splitlines() == [
        f"The key {second} is published and signs from 2030-01-01T12:10:00Z.",
        f"Tokens signed by {first} are valid until they expire.",
    ]
    assert states() == ["signing", "upcoming"]
    clock.shift(PLANNED)
    assert states() == ["retiring", "signing"]
    clock.shift(VERIFIES)
    assert states() == ["retired", "signing"]
    keys("rotate")
    assert bytes(SigningKey.objects.get(kid=first).private) == b""
    assert all(SigningKey.objects.exclude(kid=first).values_list("private", flat=True))


def test_keys_rotate_is_refused_while_a_key_is_upcoming_unless_now_is_given(
    clock: time_machine.Traveller, first: str
) -> None:
    keys("rotate")
    with pytest.raises(
        ImproperlyConfigured, match=r"^The key \S+ is already published and signs from 2030-01-01 12:10"
    ):
        keys("rotate")
    keys("rotate", "--now")
    clock.shift(timedelta(seconds=2))
    assert states() == ["retiring", "retiring", "signing"]
    clock.shift(PLANNED)
    assert states() == ["retiring", "retiring", "signing"]


def test_keys_rotate_uses_the_signing_algorithm_of_the_settings(first: str, settings: Any) -> None:
    settings.SIGNING_ALGORITHM = "ES256"
    keys("rotate")
    assert [row["algorithm"] for row in json.loads(keys("list", "--json"))] == ["EdDSA", "ES256"]


@pytest.mark.parametrize("action", [("rotate",), ("rotate", "--now")])
def test_keys_rotate_is_refused_while_tokens_are_signed_with_hs256(db: None, action: tuple[str, ...]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_SIGNING_ALGORITHM is 'HS256', whose keys are derived"):
        keys(*action)
    assert keys("list").startswith("There are no signing keys. LATCHKEY_SIGNING_ALGORITHM is 'HS256'")
    assert keys("list", "--json") == "[]\n"


def test_keys_list_prints_a_table_without_secrets(first: str) -> None:
    head, row = keys("list").splitlines()
    assert head.split() == [
        *("kid", "algorithm", "state", "created_at", "signs_from", "retires_at", "verifies_until", "decrypts")
    ]
    assert row.split() == [first, "EdDSA", "signing", "2030-01-01T12:00:00Z", "2030-01-01T12:00:00Z", "-", "-", "yes"]


def test_keys_list_marks_a_key_that_cannot_be_decrypted(first: str, settings: Any) -> None:
    settings.SECRET_KEY = "x" * 50
    assert keys("list").splitlines()[1].split()[-1] == "no"
    assert json.loads(keys("list", "--json"))[0]["decrypts"] is False


def test_keys_retire_is_refused_for_the_signing_key_until_another_key_signs(
    clock: time_machine.Traveller, first: str, captured_log: CapturedLog
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^The key {first} signs now or next; run 'latchkey keys"):
        keys("retire", first, "--yes")
    keys("rotate")
    for kid in kids():  # one signs now, the other will sign next
        with pytest.raises(ImproperlyConfigured, match="signs now or next"):
            keys("retire", kid, "--yes")
    keys("rotate", "--now")
    clock.shift(timedelta(seconds=2))
    assert keys("retire", first, "--yes") == f"Tokens signed by {first} are refused from now on.\n"
    assert states() == ["retired", "retiring", "signing"]
    assert bytes(SigningKey.objects.get(kid=first).private) == b""
    events = [(line["event"], line["key_id"]) for line in captured_log.lines() if line["event"].startswith("key.")]
    assert [event for event, _ in events] == ["key.rotated", "key.rotated", "key.retired"]
    assert events[-1][1] == first
    with pytest.raises(ImproperlyConfigured, match=rf"^The key {first} is already retired\.$"):
        keys("retire", first, "--yes")


def test_keys_retire_accepts_any_key_while_tokens_are_signed_with_hs256(first: str, settings: Any) -> None:
    settings.SIGNING_ALGORITHM = "HS256"
    keys("retire", first, "--yes")
    assert states() == ["retired"]


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_keys_retire_does_nothing_unless_yes_is_typed_at_the_prompt(
    first: str, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    keys("rotate", "--now")
    monkeypatch.setattr(sys, "stdin", StringIO(answer))
    with pytest.raises(ImproperlyConfigured, match=r"^No key was retired; answer 'yes', or give --yes\.$"):
        keys("retire", first)
    assert "retired" not in states()
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))


@pytest.mark.parametrize("kid", ["", "nobody", "' OR 1=1 --"])
def test_keys_retire_of_an_unknown_key_is_refused(first: str, kid: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^There is no signing key .*; see 'latchkey keys list'"):
        keys("retire", kid, "--yes")


def test_keys_rotate_is_refused_if_another_rotation_finishes_first(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other rotation happens while this one generates its key."""

    def overtaken(algorithm: str) -> Any:
        monkeypatch.setattr(rotation, "generate", generate)
        keys("rotate")
        return generate(algorithm)

    monkeypatch.setattr(rotation, "generate", overtaken)
    with pytest.raises(
        ImproperlyConfigured, match=r"^Another process has just added a key; see 'latchkey keys list'\.$"
    ):
        keys("rotate")
    assert states() == ["signing", "upcoming"]


@pytest.fixture
def console(tmp_path: Path) -> Callable[..., Any]:
    """Run a command as a process, always on SQLite."""
    server = Server(tmp_path, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    return server.command


def test_keys_command_reports_usage_errors_in_one_sentence_with_exit_code_2(console: Callable[..., Any]) -> None:
    wrong = [
        "",
        "turn",
        "list --now",
        "list --colour",
        "rotate --json",
        "rotate now",
        "retire",
        "retire --yes",
        "retire x y",
    ]
    for line in [*wrong, "retire x --yes"]:
        done = console("keys", *line.split())
        assert (done.returncode, done.stdout) == (2, ""), line
        assert done.stderr.splitlines()[-1].startswith("latchkey"), line
        assert "Traceback" not in done.stderr
    assert console("keys", "retire", "x").stderr == "latchkey: No key was retired; answer 'yes', or give --yes.\n"
    done = console("keys", "rotate")
    assert (done.returncode, done.stderr) == (0, "")
    assert "is published and signs from" in done.stdout
