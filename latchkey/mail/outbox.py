"""Wakes the courier of this process when a mail was posted in it; couriers elsewhere find it when they look again.

Write a mail, in the transaction that causes it.
"""

import json
from collections.abc import Mapping
from threading import Event

from django.db import transaction

from latchkey.core.crypto import Encryptor
from latchkey.mail.models import Mail, MailKind

mail_queued = Event()


CONTEXT_ENCRYPTION = Encryptor("mail")


def enqueue(kind: MailKind, to: str, context: Mapping[str, str], user_id: int | None = None) -> Mail:
    """Put a mail into the outbox: it is sent if, and only if, the transaction around is committed.

    The context fills the template. It may hold a link or a code that signs somebody in, so it is encrypted. With
    expires_at, a time in ISO 8601, the mail is given up from then on: a link that has expired is of no use to anybody.
    """
    sealed = CONTEXT_ENCRYPTION.encrypt(json.dumps(dict(context)).encode())
    mail = Mail.objects.create(kind=kind.value, to_address=to, encrypted_context=sealed, user_id=user_id)
    transaction.on_commit(mail_queued.set)
    return mail
