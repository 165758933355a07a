"""latchkey prune: deletes ended sessions and keeps live ones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from latchkey.accounts.admin_actions import deactivate, sign_out_everywhere
from latchkey.accounts.models import User
from latchkey.sessions.models import Session
from latchkey.sessions.prune import prune
from tests.people import Person


def expire(people: list[int]) -> None:
    Session.objects.filter(user__in=people).update(expires_at=datetime.now(UTC))


@pytest.mark.parametrize("end", [expire, deactivate, sign_out_everywhere])
def test_prune_deletes_ended_sessions_and_keeps_live_ones(
    alice: Person, bob: Person, end: Callable[[list[int]], Any]
) -> None:
    end([bob.id])
    assert Session.objects.count() == 2
    assert [(batch.scanned, batch.deleted) for batch in prune(batch=1)] in ([(1, 0), (1, 1)], [(1, 1), (1, 0)])
    assert alice.me().status_code == 200
    assert bob.try_refresh().status_code == 401
    assert Session.objects.count() == 1


def test_live_and_prunable_sessions_are_complementary(alice: Person, bob: Person, user_row: Any) -> None:
    alice.login()
    user_row(bob).delete()
    User.objects.filter(pk=alice.id).update(is_active=False)
    for now in (datetime.now(UTC), datetime.now(UTC) + timedelta(days=31)):
        rows = set(Session.objects.values_list("pk", flat=True))
        live = set(Session.objects.live(now).values_list("pk", flat=True))
        ended = set(Session.objects.prunable(now).values_list("pk", flat=True))
        assert live | ended == rows
        assert not live & ended


def test_prune_command_prints_what_it_deleted(alice: Person, bob: Person) -> None:
    output = StringIO()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31), tick=False):
        call_command("prune", stdout=output, stderr=StringIO())
    assert output.getvalue().splitlines() == [
        "2 ended sessions deleted, 0 left.",
        "3 rate-limit counters deleted.",
        "0 expired links and codes deleted.",
        "0 expired tickets and abandoned enrolments deleted.",
        "0 API keys that expired 30 days ago deleted.",
        "0 old idempotency keys deleted.",
        "0 sent or failed mails deleted.",
        "0 old events deleted, 4 left.",
    ]
