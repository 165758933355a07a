"""Make a mail out of its row."""

import json
from collections.abc import Mapping
from datetime import datetime

from django.core.mail import EmailMultiAlternatives

from latchkey.core import clock
from latchkey.mail.failures import BROKEN_TEMPLATE, EXPIRED, NOT_ASCII, SEALED_OFF, UNKNOWN_KIND, Failure
from latchkey.mail.kinds import Kind
from latchkey.mail.message import written
from latchkey.mail.models import Mail
from latchkey.mail.outbox import CONTEXT


class Unsendable(Exception):
    """A mail that cannot even be tried, and why."""

    def __init__(self, why: Failure) -> None:
        self.why = why


def opened(mail: Mail) -> EmailMultiAlternatives:
    """Return the mail that a row stands for; raises Unsendable."""
    unsealed = CONTEXT.unseal(bytes(mail.sealed))
    if unsealed is None:
        raise Unsendable(SEALED_OFF)
    context: Mapping[str, str] = json.loads(unsealed)
    if "expires_at" in context and datetime.fromisoformat(context["expires_at"]) <= clock.now():
        raise Unsendable(EXPIRED)
    try:
        kind = Kind(mail.kind)
    except ValueError as error:  # of a newer version, which serves beside this one
        raise Unsendable(UNKNOWN_KIND) from error
    if not mail.to_address.rpartition("@")[0].isascii():  # SMTPUTF8 (RFC 6531) is not in Django's backend
        raise Unsendable(NOT_ASCII)
    try:
        return written(kind, mail.to_address, context, mail.pk, mail.created_at)
    except Exception as error:  # of an operator's template, whose code this is
        raise Unsendable(BROKEN_TEMPLATE) from error
