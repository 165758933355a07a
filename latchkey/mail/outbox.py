"""Write a mail, in the transaction that causes it."""

import json
from collections.abc import Mapping

from latchkey.core.sealing import Seal
from latchkey.mail.kinds import Kind
from latchkey.mail.models import Mail

CONTEXT = Seal("mail")


def post(kind: Kind, to: str, context: Mapping[str, str], user_id: int | None = None) -> Mail:
    """Put a mail into the outbox: it is sent if, and only if, the transaction around is committed.

    The context fills the template. It may hold a link or a code that signs somebody in, so it is encrypted.
    """
    sealed = CONTEXT.seal(json.dumps(dict(context)).encode())
    return Mail.objects.create(kind=kind.value, to_address=to, sealed=sealed, user_id=user_id)
