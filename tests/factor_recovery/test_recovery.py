"""A recovery by mail from the request to the removal of all factors: when, how often, and what it changes."""

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest
import time_machine
from django.conf import settings

from latchkey.accounts.models import User
from latchkey.audit.models import AuditEvent
from latchkey.core import clock as clocks
from latchkey.factors import recovery_codes
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.mail.delivery import deliver_due
from tests.factor_recovery.steps import DUE, WARNING, Owner, run_worker, try_confirm, try_request
from tests.outbox import last_mail, sent_mails
from tests.people import Person, try_login
from tests.problems import assert_problem

DAY = timedelta(days=1)
WEEK = 7 * DAY


def events(name: str) -> list[str]:
    """Return the details of all events of this name, in order."""
    return list(AuditEvent.objects.filter(name=name).order_by("pk").values_list("detail", flat=True))


def wait(clock: time_machine.Traveller, days: int = 7) -> None:
    """Let days pass, with a mail worker each day."""
    for _ in range(days):
        clock.shift(DAY)
        run_worker()


def test_recovery_is_refused_while_the_policy_is_off(owner: Owner, set_policy: Callable[..., None]) -> None:
    set_policy(recovery_delay=0)
    assert_problem(owner.try_request(), 403, "recovery_unavailable")
    assert not FactorRecovery.objects.exists()


def test_recovery_is_off_by_default() -> None:
    assert settings.POLICY_DEFAULTS.recovery_delay == 0


def test_recovery_is_refused_for_an_address_that_was_never_verified(owner: Owner) -> None:
    User.objects.update(email_verified_at=None)
    assert_problem(owner.try_request(), 403, "recovery_unavailable")
    assert not FactorRecovery.objects.exists()


def test_recovery_is_refused_for_staff(owner: Owner) -> None:
    User.objects.update(is_staff=True)
    assert_problem(owner.try_request(), 403, "recovery_unavailable")
    assert not FactorRecovery.objects.exists()


def test_recovery_is_refused_without_a_mail_server(owner: Owner, settings: object) -> None:
    settings.MAIL_SERVER = None  # type: ignore[attr-defined]  # pytest-django's settings
    assert_problem(owner.try_request(), 503, "unavailable")
    assert not FactorRecovery.objects.exists()


@pytest.mark.parametrize("ticket", ["x" * 43, "", "short"])
def test_recovery_is_refused_without_a_ticket_of_a_sign_in(owner: Owner, ticket: str) -> None:
    answer = try_request(owner.http, ticket)
    assert_problem(answer, 400, "invalid_ticket" if ticket else "invalid", ["ticket"])
    assert not FactorRecovery.objects.exists()


def test_recovery_is_due_after_the_days_of_the_policy_and_is_announced_at_once(owner: Owner) -> None:
    now = clocks.now()
    due_at = owner.request()
    assert datetime.fromisoformat(due_at) == now + WEEK
    mail = last_mail(owner.person.email)
    assert mail.kind == WARNING
    assert mail.context["due"] == f"{now + WEEK:%Y-%m-%d %H:%M} UTC"
    assert "code" not in mail.context
    assert events("factor_recovery.requested") == [""]


def test_second_request_changes_nothing_and_is_answered_the_same(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    first = owner.request()
    mails = len(sent_mails())
    past_clock.shift(DAY / 2)
    assert owner.request() == first
    assert len(sent_mails()) == mails
    assert len(events("factor_recovery.requested")) == 1


def test_ticket_can_still_be_used_for_a_second_factor_after_the_request(owner: Owner) -> None:
    ticket = owner.request_ticket()
    assert try_request(owner.http, ticket).status_code == 202
    assert_problem(
        owner.http.post("/api/login/second-factor/", json={"ticket": ticket, "code": "000000"}), 400, "invalid_code"
    )


def test_owner_is_warned_once_a_day_and_gets_the_code_on_the_last(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    owner.request()
    assert run_worker() == []
    for _ in range(6):
        past_clock.shift(DAY - timedelta(seconds=1))
        assert run_worker() == []
        past_clock.shift(timedelta(seconds=1))
        assert run_worker() == [WARNING]
        assert run_worker() == []
    past_clock.shift(DAY - timedelta(seconds=1))
    assert run_worker() == []
    past_clock.shift(timedelta(seconds=1))
    assert run_worker() == [DUE]
    past_clock.shift(DAY)
    assert run_worker() == []


@pytest.mark.parametrize("by", ["link", "code"])
def test_confirmation_removes_all_factors_and_ends_all_sessions(
    past_clock: time_machine.Traveller, owner: Owner, by: str
) -> None:
    owner.request()
    wait(past_clock)
    mail = last_mail(owner.person.email)
    answer = try_confirm(owner.http, **({"token": mail.token} if by == "link" else mail.code_fields))
    assert answer.status_code == 200, answer.text
    assert not TotpSecret.objects.exists()
    assert not Ticket.objects.exists()
    assert not FactorRecovery.objects.exists()
    assert recovery_codes.count(owner.person.id) == User.objects.get().second_factors == 0
    assert_problem(owner.person.me(), 401, "invalid_token")
    assert events("factor.reset") == ["delayed recovery"]
    assert events("factor_recovery.cancelled") == []
    assert try_login(owner.http).status_code == 200


def test_confirmation_works_once(past_clock: time_machine.Traveller, owner: Owner) -> None:
    owner.request()
    wait(past_clock)
    mail = last_mail(owner.person.email)
    assert try_confirm(owner.http, token=mail.token).status_code == 200
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")
    assert_problem(try_confirm(owner.http, **mail.code_fields), 400, "invalid_code")


def test_person_sets_up_a_new_factor_after_a_recovery_where_the_policy_requires_one(
    past_clock: time_machine.Traveller, owner: Owner, set_policy: Callable[..., None]
) -> None:
    owner.request()
    wait(past_clock)
    try_confirm(owner.http, token=last_mail(owner.person.email).token)
    set_policy(second_factor="required")
    answer = try_login(owner.http)
    assert (answer.status_code, answer.json()["enrol"]) == (403, True)


def test_code_that_a_node_with_a_fast_clock_sent_is_refused_by_the_others(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    """The database has the present, which is later than both, so it is the clocks of the nodes that are compared."""
    owner.request()
    wait(past_clock, days=6)
    with time_machine.travel(clocks.now() + DAY, tick=False):
        assert run_worker() == [DUE]
    mail = last_mail(owner.person.email)
    past_clock.shift(DAY - timedelta(seconds=1))
    for presented in ({"token": mail.token}, mail.code_fields):
        assert_problem(try_confirm(owner.http, **presented), 400, "invalid_code")
    assert TotpSecret.objects.exists()
    past_clock.shift(timedelta(seconds=1))
    assert try_confirm(owner.http, token=mail.token).status_code == 200


def test_nothing_is_due_by_the_clock_of_a_node_that_is_ahead_of_the_database(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    past_clock.shift(timedelta(days=60))
    owner.request()
    past_clock.shift(WEEK)
    assert run_worker() == []
    past_clock.shift(timedelta(days=365))
    assert run_worker() == []


def test_code_expires_after_three_days_and_the_recovery_with_it(
    past_clock: time_machine.Traveller, owner: Owner
) -> None:
    owner.request()
    wait(past_clock)
    mail = last_mail(owner.person.email)
    past_clock.shift(3 * DAY)
    assert_problem(try_confirm(owner.http, token=mail.token), 400, "invalid_code")
    assert run_worker() == []
    assert events("factor_recovery.cancelled") == ["expired"]
    assert TotpSecret.objects.exists()
    assert datetime.fromisoformat(owner.request()) == clocks.now() + WEEK


def test_code_can_be_used_until_it_expires(past_clock: time_machine.Traveller, owner: Owner) -> None:
    owner.request()
    wait(past_clock)
    past_clock.shift(3 * DAY - timedelta(seconds=1))
    assert try_confirm(owner.http, **last_mail(owner.person.email).code_fields).status_code == 200


def test_days_without_a_mail_worker_do_not_count(past_clock: time_machine.Traveller, owner: Owner) -> None:
    started_at = clocks.now()
    owner.request()
    past_clock.shift(2 * DAY)
    assert run_worker() == [WARNING]
    past_clock.shift(10 * DAY)
    assert run_worker() == [WARNING]
    due_at = FactorRecovery.objects.get().due_at
    assert due_at > started_at + 15 * DAY
    assert datetime.fromisoformat(owner.request()) == due_at
    for _ in range((due_at - clocks.now()).days - 1):
        past_clock.shift(DAY)
        assert run_worker() == [WARNING]
    past_clock.shift(due_at - clocks.now())
    assert run_worker() == [DUE]


def test_requests_for_recoveries_are_limited_like_other_mails(owner: Owner) -> None:
    statuses = []
    for _ in range(4):
        statuses.append(owner.try_request().status_code)
        FactorRecovery.objects.all().delete()
    assert statuses == [202, 202, 429, 429]  # the mail that verified the address was the first


def test_wrong_codes_are_counted_and_void_the_code(past_clock: time_machine.Traveller, owner: Owner) -> None:
    owner.request()
    wait(past_clock)
    mail = last_mail(owner.person.email)
    for _ in range(5):
        assert_problem(try_confirm(owner.http, email=mail.to, code="0000-0000"), 400, "invalid_code")
    assert_problem(try_confirm(owner.http, **mail.code_fields), 400, "invalid_code")
    assert try_confirm(owner.http, token=mail.token).status_code == 200


def test_other_accounts_are_not_touched(past_clock: time_machine.Traveller, owner: Owner, http: httpx.Client) -> None:
    bob = Person(http, "bob@example.com").register()
    owner.request()
    wait(past_clock)
    bob.login()
    try_confirm(owner.http, token=last_mail(owner.person.email).token)
    assert bob.me().status_code == 200


def test_mails_of_a_recovery_can_be_sent(past_clock: time_machine.Traveller, owner: Owner) -> None:
    owner.request()
    wait(past_clock)
    assert [mail.kind for mail in sent_mails()].count(WARNING) == 7
    assert list(deliver_due()) != []
