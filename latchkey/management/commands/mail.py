"""`latchkey mail`: send due mails, list the outbox, and send a test mail past it."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand
from tqdm import tqdm

from latchkey.accounts.models import normalize_email
from latchkey.core import clock
from latchkey.mail.delivery import Outcome, deliver_due, send, smtp_connection
from latchkey.mail.models import STATE_FILTERS, Mail, MailState
from latchkey.mail.queue import due
from latchkey.management.arguments import int_range

DEFAULT_SHOWN = 50
ROW_FORMAT = "{:>8}  {:<10} {:<30} {:<20} {:>8}  {}"


def email_argument(text: str) -> str:
    """Type for `add_argument` that reads an e-mail address; raises ArgumentTypeError."""
    try:
        return normalize_email(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a valid e-mail address") from error


class Command(BaseCommand):
    help = "Send due mails, list mails, or send a test mail. A running service sends due mails by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(required=True, metavar="send | list | test")
        sending = actions.add_parser("send", help="send all due mails once; a running service may send, too")
        sending.set_defaults(act=self.send)
        listing = actions.add_parser("list", help="list the newest mails with their state")
        listing.add_argument(
            "--last",
            type=int_range(1, 100_000),
            default=DEFAULT_SHOWN,
            metavar="N",
            help="number of mails (default: %(default)s)",
        )
        listing.add_argument("--waiting", action="store_true", help="only mails that are not sent yet")
        listing.set_defaults(act=self.show)
        testing = actions.add_parser("test", help="send a test mail now, and print the error if the server refuses it")
        testing.add_argument("address", type=email_argument, metavar="ADDRESS")
        testing.set_defaults(act=self.test)

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        act(**options)

    def send(self, **options: Any) -> None:
        """Send until no mail is due or the server is unavailable; exit with 1 if a mail was not sent."""
        require_mail_server()
        counts: Counter[Outcome] = Counter()
        with tqdm(total=due().count(), unit=" mails", file=self.stderr) as bar:
            while not counts[Outcome.SERVER_DOWN] and (batch := Counter(deliver_with_progress(bar))):
                counts += batch
        others = counts[Outcome.DEFERRED] + counts[Outcome.SERVER_DOWN]
        self.stdout.write(f"{counts[Outcome.SENT]} sent, {counts[Outcome.FAILED]} failed, {others} deferred.")
        if counts[Outcome.SERVER_DOWN]:
            left = due().count()
            self.stdout.write(f"The mail server is unavailable; {left} more wait. See 'latchkey mail list --waiting'.")
        if others or counts[Outcome.FAILED]:
            sys.exit(1)

    def show(self, last: int, waiting: bool, **options: Any) -> None:
        """Print one line for each mail, never its content."""
        mails = Mail.objects.order_by("-pk")
        mails = mails.filter(STATE_FILTERS[MailState.WAITING]) if waiting else mails
        self.stdout.write(ROW_FORMAT.format("id", "state", "kind", "since (UTC)", "attempts", "recipient, last error"))
        for mail in reversed(mails.defer("encrypted_context")[:last]):
            why = f"{mail.to_address}  {mail.last_error}".rstrip()
            self.stdout.write(
                ROW_FORMAT.format(
                    mail.pk, mail.state, mail.kind, f"{mail.state_since:%Y-%m-%d %H:%M:%S}", mail.attempts, why
                )
            )

    def test(self, address: str, **options: Any) -> None:
        """Send a mail past the outbox; print the server's own words and exit with 1 if it refuses the mail."""
        require_mail_server()
        text = f"This mail tests EMAIL_URL. It was sent at {clock.now():%Y-%m-%d %H:%M:%S} UTC.\n"
        mail = EmailMessage("A test mail from Latchkey", text, settings.MAIL_FROM, [address])
        said: list[Exception] = []
        with smtp_connection() as connection:
            why = send(mail, connection, said.append)
        if why:
            self.stderr.write(f"The mail server did not accept the mail: {why.phrase}. Full error: {said[0]}")
            sys.exit(1)
        self.stdout.write(f"The mail server accepted the mail to {address}, from {settings.MAIL_FROM}.")


def deliver_with_progress(bar: "tqdm[NoReturn]") -> Iterator[Outcome]:
    """Yield the outcome of each delivery, and advance the progress bar."""
    for outcome in deliver_due():
        bar.update()
        yield outcome


def require_mail_server() -> None:
    """Raise ImproperlyConfigured if there is no mail server."""
    if settings.MAIL_SERVER is None:
        raise ImproperlyConfigured("EMAIL_URL is not set, so no mail can be sent (docs/mail.md).")
