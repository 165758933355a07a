"""Mail as `latchkey serve` sends it: at once, once, and after whatever was killed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mail.test_notices import CHROME, FIREFOX
from tests.people import Person
from tests.server import Server
from tests.support.smtp_server import SmtpServer

LEASE = 20
"""Seconds that a mail in hand belongs to its courier where EMAIL_URL has timeout=1."""
ENQUEUE_CODE = """
from latchkey.mail.models import Kind
from latchkey.mail.outbox import post
for number in range({number}):
    post(Kind.PASSWORD_RESET, f"person{{number}}@example.com", {{"link": "https://x/?token=LINK", "code": "4711"}})
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
    office = SmtpServer().start()
    yield office
    office.stop()


Launch = Callable[..., Server]


@pytest.fixture
def launch(tmp_path: Path, database_url: str, smtp_server: SmtpServer) -> Iterator[Launch]:
    """Return a server on the one database of this test, not started; two of them are two nodes."""
    made: list[Server] = []

    def make(**environment: str) -> Server:
        server = Server(tmp_path, database_url, **{"EMAIL_URL": smtp_server.url, **environment})
        made.append(server)
        return server

    yield make
    for server in made:
        if server.process:
            server.kill()


def enqueue_mail(server: Server, number: int = 1) -> None:
    server.shell(ENQUEUE_CODE.format(number=number))


def wait_for(said: Callable[[], Any], within: float = 15) -> None:
    deadline = time.monotonic() + within
    while not said():
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


def test_a_mail_that_was_committed_before_a_kill_is_sent_by_the_next_server(
    launch: Launch, smtp_server: SmtpServer
) -> None:
    server = launch(EMAIL_URL="smtp://127.0.0.1:9?tls=off&timeout=1").start()
    server.kill()
    enqueue_mail(server, 3)
    server.environment["EMAIL_URL"] = smtp_server.url
    server.restart()
    smtp_server.wait_for(3)
    assert set(smtp_server.recipients.values()) == {1}


def test_a_server_that_is_killed_in_the_middle_of_a_mail_loses_none(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch().start()
    killed: list[float] = []

    def kill(smtp: Any) -> None:
        """Kill every process of the server after the mail has come and before it hears so."""
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


def test_a_server_that_is_stopped_finishes_the_mail_in_hand(launch: Launch, smtp_server: SmtpServer) -> None:
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


@pytest.mark.ledger("ASVS-6.3.5")
def test_a_sign_in_with_another_browser_is_told_of(launch: Launch, smtp_server: SmtpServer) -> None:
    server = launch().start()
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register()
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
def test_serve_does_not_start_over_mail_that_is_set_up_wrong(launch: Launch, variable: str, value: str) -> None:
    server = launch(**{variable: value})
    done = server.command("serve", "--port", str(server.port))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"latchkey: {variable} ")
    assert "pa55" not in line


@pytest.mark.parametrize("arguments", [(), ("post",), ("test",), ("test", "nobody"), ("list", "--last", "0")])
def test_a_wrong_option_is_told_in_a_sentence_with_exit_code_2(launch: Launch, arguments: tuple[str, ...]) -> None:
    done = launch().command("mail", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr.splitlines()[-1]
