"""Log line and metric of an event follow the commit of the transaction that the event belongs to."""

from collections.abc import Callable

import pytest
from django.db import transaction

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.audit.models import AuditEvent
from latchkey.core.client import ClientInfo
from latchkey.telemetry.metrics import REGISTRY
from tests.audit.test_email_code_events import table_missing
from tests.people import Person, try_register
from tests.support.captured_log import CapturedLog

NAME = Event.KEY_RETIRED.value


def count(name: str) -> float:
    return REGISTRY.get_sample_value("latchkey_events_total", {"event": name}) or 0


def traces(log: CapturedLog, name: str = NAME) -> tuple[int, int, float]:
    """Return the rows, the log lines, and the count of an event."""
    return AuditEvent.objects.filter(name=name).count(), len(log.lines(name)), count(name)


with_real_and_test_transactions = pytest.mark.parametrize(
    "commits",
    [
        pytest.param(True, marks=pytest.mark.django_db(transaction=True), id="real transaction"),
        pytest.param(False, marks=pytest.mark.django_db, id="transaction of the test"),
    ],
)
"""Real commits, and the usual test transaction: events behave the same in both."""


@with_real_and_test_transactions
def test_rolled_back_event_leaves_neither_row_nor_log_line_nor_count(commits: bool, captured_log: CapturedLog) -> None:
    before = count(NAME)
    with transaction.atomic():
        record(Event.KEY_RETIRED, key_id="outer")
        transaction.set_rollback(True)
    assert traces(captured_log) == (0, 0, before)


@with_real_and_test_transactions
def test_committed_event_leaves_row_log_line_and_count_once(commits: bool, captured_log: CapturedLog) -> None:
    before = count(NAME)
    with transaction.atomic():
        record(Event.KEY_RETIRED, key_id="outer")
        with transaction.atomic():
            assert traces(captured_log) == (1, 0, before)
    assert traces(captured_log) == (1, 1, before + 1)
    with transaction.atomic():
        AuditEvent.objects.exists()
    assert traces(captured_log) == (1, 1, before + 1)


@with_real_and_test_transactions
def test_event_of_a_rolled_back_savepoint_is_neither_logged_nor_counted(
    commits: bool, captured_log: CapturedLog
) -> None:
    before = count(NAME)
    with transaction.atomic():
        with transaction.atomic():
            record(Event.KEY_RETIRED, key_id="inner")
            transaction.set_rollback(True)
        record(Event.KEY_RETIRED, key_id="outer")
    assert traces(captured_log) == (1, 1, before + 1)
    assert captured_log.lines(NAME)[0]["key_id"] == "outer"


@with_real_and_test_transactions
def test_event_outside_of_a_transaction_is_logged_and_counted_at_once(commits: bool, captured_log: CapturedLog) -> None:
    before = count(NAME)
    record(Event.KEY_RETIRED, key_id="alone")
    assert traces(captured_log) == (1, 1, before + 1)


@with_real_and_test_transactions
def test_event_that_is_not_persisted_is_logged_and_counted_even_if_rolled_back(
    commits: bool, captured_log: CapturedLog
) -> None:
    name = Event.RATE_LIMIT_EXCEEDED.value
    before = count(name)
    with transaction.atomic():
        record(Event.RATE_LIMIT_EXCEEDED, ClientInfo("192.0.2.1"), reason="mail")
        transaction.set_rollback(True)
    assert traces(captured_log, name) == (0, 1, before + 1)


@pytest.mark.django_db(transaction=True)
def test_register_that_is_rolled_back_after_its_event_logs_no_registration(
    alice: Person, set_policy: Callable[..., None], captured_log: CapturedLog
) -> None:
    set_policy(email_verification="optional")
    name = Event.USER_REGISTERED.value
    before = count(name)
    with table_missing("latchkey_mail"):
        assert try_register(alice.http, "carol@example.com").status_code >= 500
    assert (captured_log.lines(name), count(name)) == ([], before)
    assert try_register(alice.http, "carol@example.com").status_code == 201
    (line,) = captured_log.lines(name)
    assert (line["code"], line["request"]) == (201, "POST /api/register/")  # one line for the event and the request
    assert count(name) == before + 1


@pytest.mark.django_db(transaction=True)
def test_request_over_the_mail_limit_is_logged_though_its_transaction_is_rolled_back(
    alice: Person, captured_log: CapturedLog
) -> None:
    answers = [alice.http.post("/api/password/reset/", json={"email": alice.email}).status_code for _ in range(20)]
    assert set(answers) == {202, 429}
    assert len(captured_log.lines(Event.RATE_LIMIT_EXCEEDED.value)) == answers.count(429)
    assert len(captured_log.lines(Event.PASSWORD_RESET_REQUESTED.value)) == answers.count(202)
