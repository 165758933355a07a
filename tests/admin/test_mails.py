"""The list of mails in the admin: state without content, and the action that makes a waiting mail due now."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from latchkey.core import clock
from latchkey.mail.models import Mail, MailKind
from latchkey.mail.outbox import enqueue
from latchkey.mail.queue import lease
from tests.people import Person
from tests.support.admin_pages import MAILS, Browser, run_action, shown_messages

LINK = "https://auth.example.com/reset#a-secret-token"


@pytest.fixture
def mails(admin: Browser) -> dict[str, Mail]:
    """One mail in each state; the waiting one is due tomorrow."""
    now = clock.now()
    mails = {
        state: enqueue(MailKind.PASSWORD_RESET, f"{state}@example.com", {"link": LINK})
        for state in ("new", "sent", "lost")
    }
    Mail.objects.filter(pk=mails["new"].pk).update(next_attempt_at=now + timedelta(days=1), attempts=3)
    Mail.objects.filter(pk=mails["sent"].pk).update(sent_at=now)
    Mail.objects.filter(pk=mails["lost"].pk).update(failed_at=now, last_error="The mail server refused the recipient.")
    return mails


def listed_addresses(browser: Browser, **query: str) -> set[str]:
    return {mail.to_address for mail in browser.get(MAILS, query).context["cl"].result_list}


def test_admin_mail_list_shows_and_filters_by_state(admin: Browser, mails: dict[str, Mail]) -> None:
    page = admin.get(MAILS).text
    for word in ("password reset", "waiting", "sent", "failed", "The mail server refused the recipient."):
        assert word in page
    assert listed_addresses(admin) == {"new@example.com", "sent@example.com", "lost@example.com"}
    assert listed_addresses(admin, state="waiting") == {"new@example.com"}
    assert listed_addresses(admin, state="failed") == {"lost@example.com"}
    assert listed_addresses(admin, state="x") == listed_addresses(admin)
    assert listed_addresses(admin, q="SENT@example.com") == {"sent@example.com"}
    assert listed_addresses(admin, q="example.com") == set()


@pytest.mark.ledger("DJ-ADM-1")
def test_admin_mail_pages_neither_show_nor_read_the_content(
    admin: Browser, mails: dict[str, Mail], statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for page in (MAILS, f"{MAILS}{mails['new'].pk}/change/", f"{MAILS}{mails['new'].pk}/history/"):
        assert "a-secret-token" not in admin.get(page).text
        assert bytes(mails["new"].encrypted_context).decode() not in admin.get(page).text
        assert not [sql for sql in statements(partial(admin.get, page)) if "encrypted_context" in sql]


def test_admin_try_again_action_makes_a_waiting_mail_due_now(admin: Browser, mails: dict[str, Mail]) -> None:
    before = {mail.pk: mail for mail in Mail.objects.all()}
    answer = run_action(admin, MAILS, "try_again_now", *before)
    assert shown_messages(answer)[0].startswith("1 of 3 selected mails are due now;")
    assert Mail.objects.get(pk=mails["new"].pk).next_attempt_at <= clock.now()
    for state in ("sent", "lost"):
        mail = Mail.objects.get(pk=mails[state].pk)
        assert (mail.next_attempt_at, mail.sent_at, mail.failed_at) == (
            before[mail.pk].next_attempt_at,
            before[mail.pk].sent_at,
            before[mail.pk].failed_at,
        )
    assert LogEntry.objects.filter(object_id=str(mails["new"].pk)).exists()


def test_admin_try_again_action_skips_a_mail_with_a_running_lease(admin: Browser, alice: Person) -> None:
    mail = enqueue(MailKind.PASSWORD_RESET, alice.email, {"link": LINK})
    Mail.objects.filter(pk=mail.pk).update(next_attempt_at=clock.now() + lease())
    assert shown_messages(run_action(admin, MAILS, "try_again_now", mail.pk))[0].startswith(
        "0 of 1 selected mails are due now;"
    )


def test_admin_try_again_action_requires_the_change_permission(
    admin: Browser, mails: dict[str, Mail], staff: Callable[..., Browser]
) -> None:
    clerk = staff("view_mail")
    assert listed_addresses(clerk) == listed_addresses(admin)
    run_action(clerk, MAILS, "try_again_now", mails["new"].pk)
    assert Mail.objects.get(pk=mails["new"].pk).next_attempt_at > clock.now()


def test_admin_does_not_add_change_or_delete_mails(admin: Browser, mails: dict[str, Mail], alice: Person) -> None:
    page = f"{MAILS}{mails['new'].pk}"
    for answer in (
        admin.get(f"{MAILS}add/"),
        admin.post(f"{page}/change/", {"to_address": "mallory@example.com"}),
        admin.post(f"{page}/delete/", {"post": "yes"}),
    ):
        assert answer.status_code == 403
    assert Mail.objects.get(pk=mails["new"].pk).to_address == "new@example.com"


def test_admin_mail_list_never_counts_rows(
    admin: Browser, mails: dict[str, Mail], statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    for query in ({}, {"o": "1"}, {"state": "waiting"}):
        executed = [sql for sql in statements(partial(admin.get, MAILS, query)) if "latchkey_mail" in sql]
        assert len(executed) == 1
        assert "COUNT(" not in executed[0]
