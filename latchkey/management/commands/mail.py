"""`latchkey mail`: send due mails, list the outbox, and send a test mail past it."""

import sys
from argparse import ArgumentParser
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
from latchkey.management.options import OPTIONS

ROW_FORMAT = "{:>8}  {:<10} {:<30} {:<20} {:>8}  {}"


def parse_address(text: str) -> str:
    """Return an e-mail address; raises ImproperlyConfigured."""
    try:
        return normalize_email(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{text!r} is not a valid e-mail address.") from error


class Command(BaseCommand):
    help = OPTIONS["mail"].help

    def add_arguments(self, parser: ArgumentParser) -> None:
        OPTIONS["mail"].add(parser)

    def handle(self, *args: Any, action: str, **options: Any) -> None:
        actions: dict[str, Callable[..., None]] = {"send": self.send, "list": self.show, "test": self.test}
        actions[action](**options)

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
        address = parse_address(address)
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
