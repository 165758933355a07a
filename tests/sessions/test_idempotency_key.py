"""The Idempotency-Key header of POST /api/refresh/: a client proves that it repeats its own request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.sessions.models import Session
from latchkey.web.input import normalize_idempotency_key
from tests.people import Person
from tests.problems import assert_problem

KEY, OTHER_KEY = "5f0c6d1e-key-of-one-refresh", "a71b93e4-key-of-another"
PAGE = {"Accept": "application/json; indent=2"}
"""A header that only Django REST Framework negotiates, so that the fast path leaves the request to the view."""


def send(alice: Person, token: str, key: str | None = None, **headers: str) -> httpx.Response:
    sent = headers if key is None else {"Idempotency-Key": key, **headers}
    return alice.http.post("/api/refresh/", json={"refresh_token": token}, headers=sent)


@pytest.mark.parametrize("headers", [{}, PAGE])
@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=11), timedelta(days=29)])
def test_retry_with_the_same_key_returns_the_same_refresh_token_however_late(
    clock: time_machine.Traveller, alice: Person, after: timedelta, headers: dict[str, str]
) -> None:
    spent = alice.refresh_token
    first = send(alice, spent, KEY, **headers).json()
    row = Session.objects.values().get()
    for _ in range(3):
        clock.shift(after / 3)
        answer = send(alice, spent, KEY, **headers)
        assert (answer.status_code, answer.json()["refresh_token"]) == (200, first["refresh_token"])
    assert Session.objects.values().get() == row
    assert send(alice, first["refresh_token"], OTHER_KEY, **headers).status_code == 200


@pytest.mark.parametrize("key", [None, OTHER_KEY])
def test_retry_with_another_key_or_none_after_the_window_is_reuse(
    clock: time_machine.Traveller, alice: Person, key: str | None
) -> None:
    spent = alice.refresh_token
    successor = send(alice, spent, KEY).json()["refresh_token"]
    clock.shift(timedelta(seconds=9))
    assert send(alice, spent, key).json()["refresh_token"] == successor
    clock.shift(timedelta(seconds=1))
    assert_problem(send(alice, spent, key), 401, "invalid_refresh_token")
    assert_problem(send(alice, successor, OTHER_KEY), 401, "invalid_refresh_token")


def test_key_proves_nothing_once_the_successor_was_used(clock: time_machine.Traveller, alice: Person) -> None:
    spent = alice.refresh_token
    successor = send(alice, spent, KEY).json()["refresh_token"]
    assert send(alice, successor, KEY).status_code == 200  # the same key twice: it is bound to the token
    assert_problem(send(alice, spent, KEY), 401, "invalid_refresh_token")


def test_key_of_an_earlier_refresh_proves_nothing_of_the_last(clock: time_machine.Traveller, alice: Person) -> None:
    successor = send(alice, alice.refresh_token, KEY).json()["refresh_token"]
    assert send(alice, successor).status_code == 200
    clock.shift(timedelta(seconds=11))
    assert_problem(send(alice, successor, KEY), 401, "invalid_refresh_token")


def test_window_of_zero_answers_a_retry_with_the_key_alone(alice: Person, set_policy: Callable[..., None]) -> None:
    set_policy(retry_window=timedelta(0))
    spent = alice.refresh_token
    assert send(alice, spent, KEY).status_code == send(alice, spent, KEY).status_code == 200
    assert_problem(send(alice, spent), 401, "invalid_refresh_token")


@pytest.mark.parametrize("with_keys", [False, True])
def test_two_clones_of_a_client_that_refresh_by_turns_are_noticed_within_three_rounds(
    clock: time_machine.Traveller, alice: Person, with_keys: bool
) -> None:
    tokens, rounds = [alice.refresh_token] * 2, 0
    statuses = [200]
    while statuses[-1] == 200 and rounds < 3:
        for clone in (0, 1):
            answer = send(alice, tokens[clone], f"key of clone {clone} in round {rounds}" if with_keys else None)
            statuses.append(answer.status_code)
            if answer.status_code != 200:
                break
            tokens[clone] = answer.json()["refresh_token"]
            clock.shift(timedelta(seconds=15))
        rounds += 1
    assert statuses[-1] == 401
    assert not Session.objects.exists()


@pytest.mark.parametrize("header", ["x" * 16, "x" * 64, f'"{"x" * 16}"', "with a space inside", "!#$%&'*+-.^_`|~()"])
def test_key_is_taken_with_and_without_quotation_marks(
    clock: time_machine.Traveller, alice: Person, header: str
) -> None:
    spent = alice.refresh_token
    assert send(alice, spent, header).status_code == 200
    clock.shift(timedelta(seconds=30))
    assert send(alice, spent, header.strip('"')).status_code == 200


@pytest.mark.parametrize("header", ["x" * 16 + "é", "x" * 16 + "\0", "x" * 16 + "\x7f", '"' + "x" * 15])
def test_key_of_other_characters_is_none(header: str) -> None:
    assert normalize_idempotency_key(header) == ""


@pytest.mark.parametrize("headers", [{}, PAGE])
@pytest.mark.parametrize("header", ["", "short", "x" * 15, "x" * 65, '"short"', "tab\tinside the key"])
def test_malformed_key_is_refused_and_changes_nothing(alice: Person, header: str, headers: dict[str, str]) -> None:
    row = Session.objects.values().get()
    answer = alice.http.post(
        "/api/refresh/",
        json={"refresh_token": alice.refresh_token},
        headers={"Idempotency-Key": header, **headers},
    )
    assert_problem(answer, 400, "invalid", ["Idempotency-Key"])
    assert Session.objects.values().get() == row


@pytest.mark.parametrize(("key", "retries", "count"), [(None, 0, 1), (KEY, 0, 1), (None, 1, 2), (KEY, 1, 2)])
def test_refresh_takes_one_statement_and_a_retry_two_with_and_without_a_key(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]], key: str | None, retries: int, count: int
) -> None:
    spent = alice.refresh_token
    if retries:
        send(alice, spent, key)
    assert len(statements(lambda: send(alice, spent, key))) == count


def test_key_is_neither_stored_nor_logged(alice: Person, captured_log: Any) -> None:
    send(alice, alice.refresh_token, KEY)
    stored = bytes(Session.objects.get().retry_digest)
    assert len(stored) == 32
    assert KEY.encode() not in stored
    assert KEY not in captured_log.text
