"""latchkey mail: send what is due, look at the outbox, and see whether mail works at all."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.accounts.models import normalize_email
from latchkey.core import clock
from latchkey.mail.delivery import Outcome, deliver_due, send, smtp_connection
from latchkey.mail.models import Mail
from latchkey.mail.queue import due
from latchkey.management.commands.serve import int_range

DEFAULT_SHOWN = 50
ROW_FORMAT = "{:>8}  {:<10} {:<30} {:<20} {:>8}  {}"


def email_argument(text: str) -> str:
    try:
        return normalize_email(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a valid e-mail address") from error


class Command(BaseCommand):
    help = "Send what is due, list the mails of the last days, or send a test mail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="send | list | test")
        sending = actions.add_parser("send", help="send every mail that is due, once, beside a running service or not")
        sending.set_defaults(act=self.send)
        listing = actions.add_parser("list", help="list the newest mails, with what became of them")
        listing.add_argument(
            "--last", type=int_range(1, 100_000), default=DEFAULT_SHOWN, metavar="N", help="so many (%(default)s)"
        )
        listing.add_argument("--waiting", action="store_true", help="those alone that are still to be sent")
        listing.set_defaults(act=self.show)
        testing = actions.add_parser("test", help="send a test mail now, and print what the server says")
        testing.add_argument("address", type=email_argument, metavar="ADDRESS")
        testing.set_defaults(act=self.test)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def send(self, **options: Any) -> None:
        """Send until nothing is due or the server is away; end with exit code 1 where a mail was not sent."""
        require_mail_server()
        counts: Counter[Outcome] = Counter()
        with tqdm(total=due().count(), unit=" mails", file=self.stderr) as bar:
            while not counts[Outcome.SERVER_DOWN] and (batch := Counter(deliver_with_progress(bar))):
                counts += batch
        others = counts[Outcome.DEFERRED] + counts[Outcome.SERVER_DOWN]
        self.stdout.write(f"{counts[Outcome.SENT]} sent, {counts[Outcome.FAILED]} failed, {others} deferred.")
        if counts[Outcome.SERVER_DOWN]:
            left = due().count()
            self.stdout.write(f"The server could not be used; {left} more wait. See 'latchkey mail list --waiting'.")
        if others or counts[Outcome.FAILED]:
            sys.exit(1)

    def show(self, last: int, waiting: bool, **options: Any) -> None:
        """Print a line for each mail, never what it says."""
        mails = Mail.objects.order_by("-pk")
        mails = mails.filter(sent_at=None, failed_at=None) if waiting else mails
        self.stdout.write(
            ROW_FORMAT.format("id", "state", "kind", "since (UTC)", "attempts", "to, and the last failure")
        )
        for mail in reversed(mails.defer("encrypted_context")[:last]):
            state, since = state_of(mail)
            why = f"{mail.to_address}  {mail.last_error}".rstrip()
            self.stdout.write(
                ROW_FORMAT.format(mail.pk, state, mail.kind, f"{since:%Y-%m-%d %H:%M:%S}", mail.attempts, why)
            )

    def test(self, address: str, **options: Any) -> None:
        """Send a mail past the outbox; end with exit code 1 and the server's own words where it was not taken."""
        require_mail_server()
        text = f"This is a test of EMAIL_URL, sent at {clock.now():%Y-%m-%d %H:%M:%S} UTC.\n"
        mail = EmailMessage("A test mail from Latchkey", text, settings.MAIL_FROM, [address])
        said: list[Exception] = []
        with smtp_connection() as connection:
            why = send(mail, connection, said.append)
        if why:
            self.stderr.write(f"The mail was not taken: {why.phrase}. In full: {said[0]}")
            sys.exit(1)
        self.stdout.write(f"The server has taken the mail to {address}, from {settings.MAIL_FROM}.")


def deliver_with_progress(bar: Any) -> Any:
    for outcome in deliver_due():
        bar.update()
        yield outcome


def require_mail_server() -> None:
    """Raise ImproperlyConfigured where no mail can be sent."""
    if settings.MAIL_SERVER is None:
        raise ImproperlyConfigured("EMAIL_URL is not set, so no mail can be sent (docs/mail.md).")


def state_of(mail: Mail) -> tuple[str, Any]:
    """Return what became of a mail, and since when; of one that waits, when it was written."""
    if mail.sent_at:
        return "sent", mail.sent_at
    return ("failed", mail.failed_at) if mail.failed_at else ("waiting", mail.created_at)
