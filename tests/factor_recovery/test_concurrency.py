"""Mail workers and requests at the same time: one mail a day, one recovery a user, and one removal of the factors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCode
from latchkey.email_codes.one_time_codes import Submitted
from latchkey.factor_recovery.cancel import cancel_by_link
from latchkey.factor_recovery.confirm import confirm_recovery
from latchkey.factor_recovery.reminders import process_recoveries
from latchkey.factor_recovery.request import request_recovery
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.tickets import TicketPurpose, issue_ticket
from latchkey.mail.models import Mail
from latchkey.tokens.authentication_methods import Proof
from tests.factor_recovery.steps import DUE, WARNING, cancel_token
from tests.outbox import last_mail

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS, DAY = 4, timedelta(days=1)


@pytest.fixture(autouse=True)
def week(set_policy: Callable[..., None]) -> None:
    """A policy of a week, which is read before the threads start."""
    set_policy(recovery_delay=7)
    current_policy()


def run_simultaneously(act: Callable[[int], Any]) -> list[Any]:
    """Call act with a number in several threads at once, and return what each returned or raised."""
    barrier = Barrier(WORKERS)

    def work(number: int) -> Any:
        barrier.wait(10)
        try:
            return act(number)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, range(WORKERS)))


def create_user(name: str) -> User:
    return User.objects.create_user(f"{name}@example.com", email_verified_at=clock.now(), second_factors=1)


def create_recovery(user: User, due_in: timedelta) -> FactorRecovery:
    """Store a recovery with something to do just now: a warning, or the code."""
    now = clock.now().replace(microsecond=0) - timedelta(seconds=5)
    return FactorRecovery.objects.create(
        user=user,
        credential_version=user.credential_version,
        email=user.email,
        requested_at=now - 6 * DAY,
        due_at=now + due_in,
        next_notice_at=now,
    )


def process_all(_: int) -> int:
    return sum(iter(process_recoveries, 0))


@pytest.mark.parametrize(("due_in", "kind"), [(DAY, WARNING), (timedelta(0), DUE)])
def test_concurrent_mail_workers_write_one_mail_for_each_recovery(due_in: timedelta, kind: str) -> None:
    users = [create_user(f"user{number}") for number in range(50)]
    for user in users:
        create_recovery(user, due_in)
    done = run_simultaneously(process_all)
    assert all(isinstance(count, int) for count in done), done
    process_all(0)  # those that a worker skipped, because another one had locked them and found nothing to do
    assert [*Mail.objects.order_by("user_id").values_list("user_id", flat=True)] == [user.pk for user in users]
    assert set(Mail.objects.values_list("kind", flat=True)) == {kind}


def test_concurrent_requests_start_one_recovery_and_send_one_mail() -> None:
    user = create_user("alice")
    tickets = [issue_ticket(TicketPurpose.SECOND_FACTOR, clock.now(), user, Proof.PASSWORD) for _ in range(WORKERS)]
    due_at = run_simultaneously(lambda number: request_recovery(tickets[number], ClientInfo()))
    assert due_at == [FactorRecovery.objects.get().due_at] * WORKERS
    assert Mail.objects.count() == AuditEvent.objects.filter(name="factor_recovery.requested").count() == 1


def test_concurrent_confirmations_remove_the_factors_once() -> None:
    user = create_user("alice")
    create_recovery(user, timedelta(0))
    process_all(0)
    mail = last_mail(user.email)
    presented = [Submitted(mail.token), Submitted(**mail.code_fields)] * 2
    done = run_simultaneously(lambda number: confirm_recovery(presented[number], ClientInfo()))
    assert done.count(None) == 1
    assert all(isinstance(result, InvalidCode) for result in done if result is not None), done
    assert AuditEvent.objects.filter(name="factor.reset").count() == 1
    after = User.objects.get()
    assert (after.second_factors, after.credential_version) == (0, user.credential_version + 1)


def test_confirmation_and_cancellation_at_once_do_one_of_the_two() -> None:
    for number in range(5):
        user = create_user(f"user{number}")
        create_recovery(user, timedelta(0))
        process_all(0)
        mail = last_mail(user.email)
        confirm, cancel = Submitted(mail.token), cancel_token(mail)
        run_simultaneously(
            lambda n, confirm=confirm, cancel=cancel: (  # type: ignore[misc]
                confirm_recovery(confirm, ClientInfo()) if n % 2 else cancel_by_link(cancel, ClientInfo())
            )
        )
        names = AuditEvent.objects.filter(user_id=user.pk).values_list("name", flat=True)
        ends = [name for name in names if name in ("factor.reset", "factor_recovery.cancelled")]
        assert len(ends) == 1, ends
        assert User.objects.get(pk=user.pk).second_factors == (0 if ends == ["factor.reset"] else 1)
