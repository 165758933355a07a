"""The outbox workers of `latchkey serve`: each mail is sent promptly and once, and again after a kill."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from latchkey.server.rsgi import MAIL_DRAIN_SECONDS
from tests.mail.test_notices import CHROME, FIREFOX
from tests.people import Person
from tests.server import Server
from tests.support.smtp_server import SmtpServer
from tests.support.stalling_smtp_server import StallingServer

LEASE = 20
"""Seconds of the lease on a claimed mail, with timeout=1 in EMAIL_URL."""
ENQUEUE_CODE = """
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
values = {{"link": "https://x/?token=LINK", "code": "4711"}}
for number in range({number}):
    enqueue(MailKind.PASSWORD_RESET, f"person{{number}}@example.com", values)
"""
STATES = """
from collections import Counter
from latchkey.mail.models import Mail
print(*sorted(Counter(
    ("sent" if mail.sent_at else "failed" if mail.failed_at else "waiting", mail.attempts)
    for mail in Mail.objects.all()
).items()))
"""


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    mail_server = SmtpServer().start()
    yield mail_server
    mail_server.stop()


Launch = Callable[..., Server]


@pytest.fixture
def launch(tmp_path: Path, database_url: str, smtp_server: SmtpServer) -> Iterator[Launch]:
    """Make a server, not started, on the database of this test; two of them are two nodes."""
    made: list[Server] = []

    def make(**environment: str) -> Server:
        given: dict[str, Any] = {"EMAIL_URL": smtp_server.url, **environment}
        server = Server(tmp_path, database_url, **given)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.process:
            server.kill()


def enqueue_mail(server: Server, number: int = 1) -> None:
    server.shell(ENQUEUE_CODE.format(number=number))


def wait_for(condition: Callable[[], Any], within: float = 15) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_two_nodes_with_two_workers_each_send_every_mail_once(launch: Launch, smtp_server: SmtpServer) -> None:
    first = launch().start()
    second = launch().restart()
    enqueue_mail(first, 200)
    smtp_server.wait_for(200, within=60)
    wait_for(lambda: first.shell(STATES) == "(('sent', 1), 200)")
    assert len(smtp_server.recipients) == 200
    assert set(smtp_server.recipients.values()) == {1}
    assert second.process
    assert smtp_server.sessions > 1


def test_mail_committed_before_a_kill_is_sent_by_the_next_server(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch(EMAIL_URL="smtp://127.0.0.1:9?tls=off&timeout=1").start()
    server.kill()
    enqueue_mail(server, 3)
    server.environment["EMAIL_URL"] = smtp_server.url
    server.restart()
    smtp_server.wait_for(3)
    assert set(smtp_server.recipients.values()) == {1}


def test_mail_in_delivery_is_sent_again_after_the_server_is_killed(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch().start()
    killed: list[float] = []

    def kill(smtp: Any) -> None:
        """Kill every process of the server after the mail was received and before its reply."""
        if not killed:
            killed.append(time.monotonic())
            assert server.process
            os.killpg(server.process.pid, signal.SIGKILL)

    smtp_server.on_accepted = kill
    enqueue_mail(server)
    wait_for(lambda: killed)
    assert server.process
    server.process.wait(10)
    server.restart()
    mails = smtp_server.wait_for(2, within=LEASE + 15)
    assert time.monotonic() - killed[0] > LEASE - 1
    assert {mail["Message-ID"] for mail in mails} == {mails[0]["Message-ID"]}
    wait_for(lambda: server.shell(STATES) == "(('sent', 2), 1)")


def test_mail_in_delivery_is_finished_when_the_server_is_stopped(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch().start()
    asked: list[float] = []

    def take_your_time(smtp: Any) -> None:
        asked.append(time.monotonic())
        assert server.process
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.7)

    smtp_server.on_data = take_your_time
    enqueue_mail(server, 1)
    wait_for(lambda: asked)
    assert server.process
    assert server.process.wait(40) == 0
    assert server.shell(STATES) == "(('sent', 1), 1)"
    assert len(smtp_server.mails) == 1


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
def test_mail_server_that_stalls_does_not_delay_the_end_of_the_server(launch: Launch, drips: bool) -> None:
    stalling = StallingServer(5, drips)
    server = launch(EMAIL_URL=f"smtp://127.0.0.1:{stalling.port}?tls=off&timeout=60").start()
    enqueue_mail(server)
    assert stalling.reached.wait(15)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < MAIL_DRAIN_SECONDS + 3
    stalling.over.set()
    stalling.listener.close()
    assert server.shell(STATES) == "(('waiting', 1), 1)"


@pytest.mark.ledger("ASVS-6.3.5")
def test_login_with_a_new_browser_sends_a_new_device_mail(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch().start()
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register()
        server.shell("from latchkey.email_addresses.verify import mark_verified; mark_verified([2])")
        for browser in (FIREFOX, FIREFOX, CHROME):
            http.headers["User-Agent"] = browser
            alice.login()
    (mail,) = smtp_server.wait_for(1)
    assert mail["To"] == "alice@example.com"
    text = mail.get_body(("plain",))
    assert text
    assert "Chrome on Windows" in text.get_content()
    assert "127.0.0.1" in text.get_content()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("EMAIL_URL", "smtp://me:pa55word@"),
        ("EMAIL_URL", "smtp://me:pa55word@mail.example.com?tls=off"),
        ("LATCHKEY_EMAIL_FROM", "nobody"),
        ("LATCHKEY_TEMPLATES_DIR", "/nowhere"),
    ],
)
def test_serve_refuses_to_start_with_invalid_mail_settings(launch: Launch, variable: str, value: str) -> None:
    server = launch(**{variable: value})
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"latchkey: {variable} ")
    assert "pa55" not in line


@pytest.mark.parametrize("arguments", [(), ("post",), ("test",), ("test", "nobody"), ("list", "--last", "0")])
def test_mail_command_reports_usage_errors_in_one_sentence_with_exit_code_2(
    launch: Launch, arguments: tuple[str, ...]
) -> None:
    done = launch().command("mail", *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(("latchkey mail", "latchkey: 'nobody' is not a valid e-mail address."))
