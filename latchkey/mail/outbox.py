"""The transactional outbox: a mail is a row, written in the transaction that causes it, and sent after its commit.

So a mail is never sent for something that was rolled back, and never lost when the mail server is down.
"""

import json
from collections.abc import Mapping
from threading import Event

from django.conf import settings
from django.db import transaction

from latchkey.core.crypto import Encryptor
from latchkey.core.exceptions import ServiceUnavailable
from latchkey.mail.models import Mail, MailKind

CONTEXT_ENCRYPTION = Encryptor("mail")
"""Encryption of Mail.encrypted_context, with a key that is not in the database."""

mail_queued = Event()
"""Set when this process has queued a mail, to wake its outbox worker; other processes find the mail by polling."""


WITHOUT_SERVER = {"Retry-After": "60"}
"""Headers of the 503 without a mail server: only the operator can end it."""


def require_mail_server() -> None:
    """Raise ServiceUnavailable if EMAIL_URL is not set: no answer may promise a mail that is never sent.

    It is called before anything else is looked at, so the answer is the same for every address.
    """
    if settings.MAIL_SERVER is None:
        raise ServiceUnavailable(headers=WITHOUT_SERVER)


def enqueue(kind: MailKind, to: str, context: Mapping[str, str], user_id: int | None = None) -> Mail:
    """Put a mail into the outbox: it is sent if, and only if, the transaction around is committed.

    The context has the values for the template. It is encrypted, as it may hold a link or a code that gives access to
    the account. With expires_at, a time in ISO 8601, the mail is not sent from then on, as its link has expired.
    """
    encrypted = CONTEXT_ENCRYPTION.encrypt(json.dumps(dict(context)).encode())
    mail = Mail.objects.create(kind=kind.value, to_address=to, encrypted_context=encrypted, user_id=user_id)
    transaction.on_commit(mail_queued.set)
    return mail
