"""latchkey mail: send, list and test, with output and exit codes."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from latchkey.mail.models import MailKind
from tests.mail.conftest import ALICE
from tests.mail.test_delivery import EnqueueMail
from tests.support.smtp_server import GREYLISTED, SmtpServer, abort_connection


def run(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code, standard output and standard error of the command."""
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("mail", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(str(end.code))
    return code, out.getvalue(), err.getvalue()


def test_mail_send_delivers_due_mails_and_prints_counts(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail
) -> None:
    for number in range(3):
        enqueue_mail(to=f"alice{number}@example.com")
    code, out, err = run("send")
    assert (code, out) == (0, "3 sent, 0 failed, 0 deferred.\n")
    assert "3/3" in err
    assert set(configured_smtp_server.recipients.values()) == {1}
    assert run("send")[:2] == (0, "0 sent, 0 failed, 0 deferred.\n")


def test_mail_send_exits_with_1_if_a_mail_was_not_sent(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail
) -> None:
    answers = iter([GREYLISTED, "550 Nobody", None])
    configured_smtp_server.on_recipient = lambda server, address: next(answers)
    for _ in range(3):
        enqueue_mail()
    assert run("send")[:2] == (1, "1 sent, 1 failed, 1 deferred.\n")


def test_mail_send_stops_when_the_server_is_down(configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail) -> None:
    configured_smtp_server.on_data = abort_connection
    for _ in range(3):
        enqueue_mail()
    code, out, _ = run("send")
    assert code == 1
    assert out.splitlines()[1].startswith("The mail server is unavailable; 2 more wait.")


def test_mail_list_shows_the_state_of_each_mail_without_its_content(
    configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail
) -> None:
    answers = iter([None, "550 Nobody", GREYLISTED])
    configured_smtp_server.on_recipient = lambda server, address: next(answers)
    for kind in (MailKind.PASSWORD_RESET, MailKind.NEW_DEVICE, MailKind.EMAIL_CHANGED):
        enqueue_mail(kind)
    run("send")
    _, out, _ = run("list")
    head, *lines = out.splitlines()
    assert head.split()[:3] == ["id", "state", "kind"]
    assert [line.split()[1] for line in lines] == ["sent", "failed", "waiting"]
    assert lines[1].endswith(f"{ALICE}  refused 550")
    assert lines[2].endswith(f"{ALICE}  refused 450")
    assert "TOKEN" not in out
    assert len(run("list", "--waiting")[1].splitlines()) == 2
    assert run("list", "--last", "1")[1].splitlines()[1] == lines[2]


def test_mail_test_sends_a_mail_without_the_outbox(configured_smtp_server: SmtpServer) -> None:
    code, out, _ = run("test", "Alice@Example.com")
    assert (code, out) == (0, f"The mail server accepted the mail to {ALICE}, from Example <no-reply@example.com>.\n")
    assert configured_smtp_server.recipients == {ALICE: 1}


def test_mail_test_prints_the_reply_of_the_server(configured_smtp_server: SmtpServer) -> None:
    configured_smtp_server.on_recipient = lambda server, address: "550 5.7.1 Relaying denied"
    code, out, err = run("test", ALICE)
    assert (code, out) == (1, "")
    assert err.startswith("The mail server did not accept the mail: refused 550. Full error: ")
    assert "5.7.1 Relaying denied" in err


@pytest.mark.parametrize("arguments", [("send",), ("test", ALICE)])
def test_mail_send_and_test_without_a_mail_server_raise_an_error(
    db: None, settings: Any, arguments: tuple[str, ...]
) -> None:
    settings.MAIL_SERVER = None
    with pytest.raises(ImproperlyConfigured, match=r"^EMAIL_URL is not set, so no mail can be sent"):
        run(*arguments)


def test_mail_send_skips_mails_that_are_not_due(configured_smtp_server: SmtpServer, enqueue_mail: EnqueueMail) -> None:
    row = enqueue_mail()
    row.next_attempt_at = datetime.now(UTC) + timedelta(minutes=1)
    row.save()
    assert run("send")[:2] == (0, "0 sent, 0 failed, 0 deferred.\n")
