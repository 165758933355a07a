"""latchkey keys list, rotate and retire: what an operator types, and what is said."""

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

from latchkey.signing_keys.models import SigningKey
from latchkey.signing_keys.startup import prepare_keys
from tests.server import Server
from tests.support.captured_log import CapturedLog

PLANNED = timedelta(minutes=10)
VERIFIES = timedelta(minutes=61)


def keys(*arguments: str) -> str:
    said = StringIO()
    call_command("keys", *arguments, stdout=said)
    return said.getvalue()


def states() -> list[str]:
    return [row["state"] for row in json.loads(keys("list", "--json"))]


def kids() -> list[str]:
    return [row["kid"] for row in json.loads(keys("list", "--json"))]


@pytest.fixture
def first(clock: time_machine.Traveller, db: None, settings: Any) -> str:
    """The id of the first key, made as a node starts."""
    settings.SIGNING_ALGORITHM = "EdDSA"
    prepare_keys()
    return kids()[0]


def test_a_planned_rotation_goes_through_its_states(clock: time_machine.Traveller, first: str) -> None:
    said = keys("rotate")
    _, second = kids()
    assert said.splitlines() == [
        f"The key {second} is published, and signs from 2030-01-01T12:10:00Z.",
        f"Tokens of {first} are good until they end.",
    ]
    assert states() == ["signing", "upcoming"]
    clock.shift(PLANNED)
    assert states() == ["retiring", "signing"]
    clock.shift(VERIFIES)
    assert states() == ["retired", "signing"]
    keys("rotate")
    assert bytes(SigningKey.objects.get(kid=first).private) == b""
    assert all(SigningKey.objects.exclude(kid=first).values_list("private", flat=True))


def test_a_second_rotation_waits_for_the_first_or_overtakes_it(clock: time_machine.Traveller, first: str) -> None:
    keys("rotate")
    with pytest.raises(
        ImproperlyConfigured, match=r"^The key \S+ is published already and signs from 2030-01-01 12:10"
    ):
        keys("rotate")
    keys("rotate", "--now")
    clock.shift(timedelta(seconds=2))
    assert states() == ["retiring", "retiring", "signing"]
    clock.shift(PLANNED)
    assert states() == ["retiring", "retiring", "signing"]


def test_a_rotation_takes_up_the_algorithm_of_the_settings(first: str, settings: Any) -> None:
    settings.SIGNING_ALGORITHM = "ES256"
    keys("rotate")
    assert [row["algorithm"] for row in json.loads(keys("list", "--json"))] == ["EdDSA", "ES256"]


@pytest.mark.parametrize("action", [("rotate",), ("rotate", "--now")])
def test_there_is_nothing_to_rotate_while_the_secrets_own_key_signs(db: None, action: tuple[str, ...]) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^LATCHKEY_SIGNING_ALGORITHM is 'HS256', whose keys are derived"):
        keys(*action)
    assert keys("list").startswith("There are no signing keys. LATCHKEY_SIGNING_ALGORITHM is 'HS256'")
    assert keys("list", "--json") == "[]\n"


def test_the_list_is_a_table_without_a_secret(first: str) -> None:
    head, row = keys("list").splitlines()
    assert head.split() == [
        *("kid", "algorithm", "state", "created_at", "signs_from", "retires_at", "verifies_until", "decrypts")
    ]
    assert row.split() == [first, "EdDSA", "signing", "2030-01-01T12:00:00Z", "2030-01-01T12:00:00Z", "-", "-", "yes"]


def test_the_list_says_which_key_cannot_be_decrypted(first: str, settings: Any) -> None:
    settings.SECRET_KEY = "x" * 50
    assert keys("list").splitlines()[1].split()[-1] == "no"
    assert json.loads(keys("list", "--json"))[0]["decrypts"] is False


def test_the_key_that_signs_is_retired_once_another_does(
    clock: time_machine.Traveller, first: str, captured_log: CapturedLog
) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^The key {first} signs, or is to sign next; run 'latchkey keys"):
        keys("retire", first, "--yes")
    keys("rotate")
    for kid in kids():  # without the one nobody signs now, without the other nobody will
        with pytest.raises(ImproperlyConfigured, match="signs, or is to sign next"):
            keys("retire", kid, "--yes")
    keys("rotate", "--now")
    clock.shift(timedelta(seconds=2))
    assert keys("retire", first, "--yes") == f"Tokens of {first} are refused from now on.\n"
    assert states() == ["retired", "retiring", "signing"]
    assert bytes(SigningKey.objects.get(kid=first).private) == b""
    events = [(line["event"], line["key_id"]) for line in captured_log.lines() if line["event"].startswith("key.")]
    assert [event for event, _ in events] == ["key.rotated", "key.rotated", "key.retired"]
    assert events[-1][1] == first
    with pytest.raises(ImproperlyConfigured, match=rf"^The key {first} is retired already\.$"):
        keys("retire", first, "--yes")


def test_any_key_is_retired_where_the_secrets_own_signs(first: str, settings: Any) -> None:
    settings.SIGNING_ALGORITHM = "HS256"
    keys("retire", first, "--yes")
    assert states() == ["retired"]


@pytest.mark.parametrize("answer", ["no\n", "y\n", "\n", ""])
def test_retire_does_nothing_without_a_yes(first: str, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    keys("rotate", "--now")
    monkeypatch.setattr(sys, "stdin", StringIO(answer))
    with pytest.raises(ImproperlyConfigured, match=r"^No key was retired; answer 'yes', or give --yes\.$"):
        keys("retire", first)
    assert "retired" not in states()
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))


@pytest.mark.parametrize("kid", ["", "nobody", "' OR 1=1 --"])
def test_retire_of_a_key_that_is_not_there_says_so(first: str, kid: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^There is no signing key .*; 'latchkey keys list' shows those"):
        keys("retire", kid, "--yes")


def test_of_two_rotations_at_once_one_is_refused(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one comes while the key is being made."""
    from latchkey.signing_keys import rotation as rotate

    make = rotate.generate

    def overtaken(algorithm: str) -> Any:
        monkeypatch.setattr(rotate, "generate", make)
        keys("rotate")
        return make(algorithm)

    monkeypatch.setattr(rotate, "generate", overtaken)
    with pytest.raises(ImproperlyConfigured, match=r"^Somebody else has just added a key; see 'latchkey keys list'\.$"):
        keys("rotate")
    assert states() == ["signing", "upcoming"]


@pytest.fixture
def console(tmp_path: Path) -> Callable[..., Any]:
    """Run a command as its users do: on SQLite, whatever the run is on."""
    server = Server(tmp_path, LATCHKEY_SIGNING_ALGORITHM="EdDSA")
    assert server.command("migrate", "--verbosity", "0").returncode == 0
    return server.command


def test_every_wrong_option_ends_with_a_sentence_and_exit_code_2(console: Callable[..., Any]) -> None:
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
    assert "is published, and signs from" in done.stdout
