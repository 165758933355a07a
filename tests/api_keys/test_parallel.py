"""API keys in threads at once: one write of the last use, and no more keys than an owner may have."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from latchkey.accounts.models import User
from latchkey.api_keys import verification
from latchkey.api_keys.manage import MAX_KEYS, KeySpec, create_application_key, create_key
from latchkey.api_keys.models import ApiKey
from latchkey.api_keys.verification import verify_key
from latchkey.audit.log import COMMAND_LINE
from latchkey.conf import policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidInput
from latchkey.db.statements import fetch_all
from latchkey.tokens.authentication_methods import Authentication, Proof
from tests.api_keys.requests import create_application, create_of_application

CLIENT = ClientInfo(None, "Firefox")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_policy() -> None:
    policy.clear_cache()
    verification._Pause.until = 0.0


def run_at_once(count: int, action: Callable[[], Any]) -> list[Any]:
    """Run an action in this many threads at once; return the results."""
    start = Barrier(count)

    def run(_: int) -> Any:
        try:
            connection.ensure_connection()
            start.wait(30)
            return action()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_last_use_is_written_once_by_64_parallel_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    key = create_of_application(create_application())
    written: list[Any] = []

    def count_rows(sql: str, parameters: Any) -> Any:
        is_write = sql.lstrip().startswith("UPDATE")
        rows = fetch_all(f"{sql} RETURNING id" if is_write else sql, parameters)
        written.extend(rows if is_write else ())
        return rows

    monkeypatch.setattr(verification, "fetch_all", count_rows)
    found = run_at_once(64, lambda: verify_key(key).client_id)
    assert found == ["billing"] * 64
    assert len(written) == 1
    assert ApiKey.objects.get().last_used_at is not None


@pytest.mark.postgresql
def test_write_that_another_transaction_blocks_is_not_waited_for() -> None:
    """PostgreSQL skips the locked row; SQLite, with its one writer, waits for it."""
    key, locked, done = create_of_application(create_application()), Barrier(2), Barrier(2)

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM latchkey_api_key FOR UPDATE")
            locked.wait(30)
            done.wait(30)
            cursor.execute("ROLLBACK")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        locked.wait(30)
        assert verify_key(key).client_id == "billing"
        assert ApiKey.objects.get().last_used_at is None
        done.wait(30)
        holding.result()
    assert verify_key(key)
    assert ApiKey.objects.get().last_used_at is not None


def test_parallel_requests_make_no_more_keys_than_an_owner_may_have() -> None:
    user, application = User.objects.create_user("alice@example.com"), create_application()
    for kind, owner in (("u", {"user": user}), ("a", {"application": application})):
        ApiKey.objects.bulk_create(
            ApiKey(key_id=f"{kind}{n:05}", digest=f"{kind}{n}".encode().ljust(32), name="x", **owner)
            for n in range(MAX_KEYS - 2)
        )
    proven = Authentication(int(Proof.PASSWORD), int(clock.now().timestamp()))
    spec = KeySpec("x", (), 90)

    def attempt(make: Callable[[], Any]) -> str:
        try:
            make()
        except InvalidInput:
            return "refused"
        return "made"

    of_user = run_at_once(6, lambda: attempt(lambda: create_key(user.pk, proven, spec, CLIENT)))
    of_application = run_at_once(6, lambda: attempt(lambda: create_application_key("billing", spec, COMMAND_LINE)))
    assert sorted(of_user) == sorted(of_application) == ["made"] * 2 + ["refused"] * 4
