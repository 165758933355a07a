"""A real SMTP server on a loopback port: it keeps what it is given, and misbehaves as it is told."""

import ssl
import time
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Reply = str
GREYLISTED = "450 4.2.0 Greylisted, come again"
USER, PASSWORD = "latchkey", "mail p@ss/word"


class SmtpServer:
    """Takes every mail, until one of its hooks is set to say otherwise: on_sender, on_recipient, on_data, on_taken."""

    def __init__(self, tls: ssl.SSLContext | None = None, requires_login: bool = False, implicit: bool = False) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: Counter[str] = Counter()
        self.sessions = self.logins = 0
        self.on_sender: Callable[[SMTP, str], Reply | None] = lambda server, address: None
        self.on_recipient: Callable[[SMTP, str], Reply | None] = lambda server, address: None
        self.on_data: Callable[[SMTP], Reply | None] = lambda server: None
        self.on_accepted: Callable[[SMTP], Reply | None] = lambda server: None
        options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0, "ready_timeout": 10}
        if tls and implicit:
            options |= {"ssl_context": tls, "auth_require_tls": False}  # it does not see that this is TLS
        elif tls:
            options |= {"tls_context": tls, "require_starttls": True}
        if requires_login:
            options |= {"authenticator": self.authenticate, "auth_required": not implicit}
        self.controller = _Controller(self, **options)

    @property
    def port(self) -> int:
        return int(self.controller.port)

    @property
    def url(self) -> str:
        """What EMAIL_URL has for a server without TLS, which has a second for each answer."""
        return f"smtp://127.0.0.1:{self.port}?tls=off&timeout=1"

    def start(self) -> "SmtpServer":
        self.controller.start()
        return self

    def stop(self) -> None:
        self.controller.stop()

    def wait_for(self, number: int, within: float = 15) -> list[EmailMessage]:
        """Return the mails, once there are so many."""
        deadline = time.monotonic() + within
        while len(self.mails) < number:
            assert time.monotonic() < deadline, f"{len(self.mails)} of {number} mails came within {within} s"
            time.sleep(0.02)
        return self.mails

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, data: Any) -> AuthResult:
        given = (data.login, data.password) if isinstance(data, LoginPassword) else None
        self.logins += 1
        return AuthResult(success=given == (USER.encode(), PASSWORD.encode()), handled=False)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.sessions += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Reply:
        refusal = self.on_sender(server, address)
        if refusal is None:
            envelope.mail_from = address
        return refusal or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Reply:
        refusal = self.on_recipient(server, address)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> Reply:  # noqa: N802
        refusal = self.on_data(server)
        if refusal is not None:
            return refusal
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.update(envelope.rcpt_tos)
        return self.on_accepted(server) or "250 OK"


class _Controller(Controller):
    """Takes any free port, and finds out which."""

    def _create_server(self) -> Any:
        created = super()._create_server()

        async def begin() -> Any:
            server = await created
            self.port = server.sockets[0].getsockname()[1]
            return server

        return begin()


def abort_connection(server: SMTP) -> None:
    """Drop the connection in the middle of the talk, without a word."""
    assert server.transport is not None
    server.transport.abort()
