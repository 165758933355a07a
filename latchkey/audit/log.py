"""The one verb that speaks outward: an outcome becomes a row where it is kept, one log line, and a count."""

import structlog

from latchkey.audit.events import KEPT, Event
from latchkey.audit.keep import keep
from latchkey.core.client import Client
from latchkey.core.metrics import happened
from latchkey.core.request_log import tell

_log = structlog.get_logger("latchkey.audit")


def record(  # noqa: PLR0913  # all but two are named at the call
    event: Event,
    client: Client | None = None,
    *,
    user_id: int | None = None,
    session_id: int | None = None,
    key_id: str | None = None,
    reason: str | None = None,
    kept: bool = False,
) -> None:
    """Keep, count and log an event with who, whence and why; never a token, a digest, a password or an e-mail address.

    kept says that its row was written already, in the statement that the event tells of. Raises DatabaseError where
    the row cannot be written.
    """
    name = event.value
    if not kept and name in KEPT:
        keep(event, client, user_id, session_id, reason or key_id or "")
    happened(name)
    facts = {"user_id": user_id, "session_id": session_id and str(session_id), "key_id": key_id, "reason": reason}
    origin = {"ip": client.address, "user_agent": client.user_agent} if client else {}
    tell(_log, name, **{key: value for key, value in (facts | origin).items() if value is not None})
