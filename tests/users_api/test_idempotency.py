"""Idempotency-Key of POST /api/users/: a retry creates no second user."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.test.utils import override_settings

from latchkey.accounts.models import User
from latchkey.idempotency.models import IdempotencyKey
from latchkey.idempotency.prune import prune
from tests.api_keys.requests import create_application
from tests.people import PASSWORD
from tests.problems import assert_problem
from tests.users_api.callers import READ, WRITE, Caller, application, application_token

KEY = "7f3d1c52-6f0e-4c9a"
BODY = {"email": "carl@example.com", "password": PASSWORD}


@pytest.fixture
def writer(http: httpx.Client) -> Caller:
    return application(http, READ, WRITE)


def create(writer: Caller, key: str = KEY, body: Any = BODY) -> httpx.Response:
    headers = {"Authorization": f"Bearer {writer.token}", "Idempotency-Key": key, "Content-Type": "application/json"}
    return writer.http.post("/api/users/", content=json.dumps(body), headers=headers)


def test_retry_is_answered_with_the_same_user(writer: Caller) -> None:
    first, retry = create(writer), create(writer)
    assert (first.status_code, retry.status_code) == (201, 201)
    assert first.json() == retry.json()
    assert first.headers["Idempotent-Replayed"] == "false"
    assert retry.headers["Idempotent-Replayed"] == "true"
    assert User.objects.count() == 1


def test_order_of_the_members_and_quotation_marks_around_the_key_do_not_count(writer: Caller) -> None:
    create(writer)
    assert create(writer, f'"{KEY}"', dict(reversed(BODY.items()))).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("other", [{"password": "another long password"}, {"email": "dora@example.com"}])
def test_key_of_another_request_is_refused(writer: Caller, other: dict[str, str]) -> None:
    create(writer)
    assert_problem(create(writer, body=BODY | other), 422, "idempotency_key_reused")
    assert User.objects.count() == 1


def test_request_that_failed_can_be_sent_again_with_its_key(writer: Caller) -> None:
    assert create(writer, body=BODY | {"roles": ["nobody"]}).status_code == 400
    assert create(writer).status_code == 201


def test_two_callers_may_choose_the_same_key(writer: Caller) -> None:
    create(writer)
    create_application("shop", [READ, WRITE])
    other = Caller(writer.http, application_token("shop", READ, WRITE), client_id="shop")
    assert create(other, body=BODY | {"email": "dora@example.com"}).status_code == 201
    assert User.objects.count() == 2


def test_retry_after_the_deletion_creates_nobody(writer: Caller) -> None:
    user_id = create(writer).json()["id"]
    assert writer.send("DELETE", f"users/{user_id}/").status_code == 204
    assert_problem(create(writer), 404, "not_found")
    assert not User.objects.exists()


def test_retry_is_known_while_the_former_secret_key_is_a_fallback(writer: Caller, settings: Any) -> None:
    create(writer)
    with override_settings(SECRET_KEY="another" * 10, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert create(application(writer.http, READ, WRITE)).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize("key", ["short", "x" * 65, "seventeen letters\x07"])
def test_malformed_key_is_refused(writer: Caller, key: str) -> None:
    assert_problem(create(writer, key), 400, "invalid", ["Idempotency-Key"])


def test_key_is_forgotten_and_pruned_after_24_hours(clock: time_machine.Traveller, writer: Caller) -> None:
    create(writer)
    clock.shift(timedelta(hours=23))
    create(application(writer.http, READ, WRITE), "another key of 24 chars.", BODY | {"email": "dora@example.com"})
    assert sum(prune()) == 0
    clock.shift(timedelta(hours=2))
    assert_problem(create(application(writer.http, READ, WRITE)), 400, "email_taken")
    assert (sum(prune()), IdempotencyKey.objects.count()) == (1, 1)


def test_stored_key_has_neither_the_key_nor_the_body(writer: Caller) -> None:
    create(writer)
    stored = repr(IdempotencyKey.objects.values().get())
    assert all(secret not in stored for secret in (KEY, PASSWORD, "carl"))
