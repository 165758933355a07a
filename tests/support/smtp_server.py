"""A real SMTP server on a loopback port: it stores mails, and hooks make it fail."""

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
    """Accepts every mail unless one of its hooks replies otherwise: on_sender, on_recipient, on_data, on_accepted."""

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        requires_login: bool = False,
        implicit: bool = False,
        smtputf8: bool = False,
    ) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: Counter[str] = Counter()
        self.sessions = self.logins = 0
        self.on_sender: Callable[[SMTP, str], Reply | None] = lambda server, address: None
        self.on_recipient: Callable[[SMTP, str], Reply | None] = lambda server, address: None
        self.on_data: Callable[[SMTP], Reply | None] = lambda server: None
        self.on_accepted: Callable[[SMTP], Reply | None] = lambda server: None
        options: dict[str, Any] = {"hostname": "127.0.0.1", "port": 0, "ready_timeout": 10}
        options["enable_SMTPUTF8"] = smtputf8
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
        """The value of EMAIL_URL for this server: no TLS, a timeout of one second."""
        return f"smtp://127.0.0.1:{self.port}?tls=off&timeout=1"

    def start(self) -> "SmtpServer":
        self.controller.start()
        return self

    def stop(self) -> None:
        self.controller.stop()

    def wait_for(self, number: int, within: float = 15) -> list[EmailMessage]:
        """Return the mails as soon as there are this many."""
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
        reply = self.on_sender(server, address)
        if reply is None:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> Reply:
        reply = self.on_recipient(server, address)
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> Reply:  # noqa: N802
        reply = self.on_data(server)
        if reply is not None:
            return reply
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.update(envelope.rcpt_tos)
        return self.on_accepted(server) or "250 OK"


class _Controller(Controller):
    """A controller that binds to any free port and stores its number."""

    def _create_server(self) -> Any:
        created = super()._create_server()

        async def begin() -> Any:
            server: Any = await created
            self.port = server.sockets[0].getsockname()[1]
            return server

        return begin()


def abort_connection(server: SMTP) -> None:
    """Abort the connection without a reply."""
    transport: Any = server.transport
    transport.abort()
