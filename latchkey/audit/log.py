"""The one verb that speaks outward: every outcome of authentication becomes one structured log line, and is counted."""

import structlog

from latchkey.audit.events import Event
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
) -> None:
    """Count an event, and log it with who, whence and why; never a token, a digest, a password or an e-mail address."""
    name = event.value
    happened(name)
    facts = {"user_id": user_id, "session_id": session_id and str(session_id), "key_id": key_id, "reason": reason}
    origin = {"ip": client.address, "user_agent": client.user_agent} if client else {}
    tell(_log, name, **{key: value for key, value in (facts | origin).items() if value is not None})
