"""Where somebody is signed in."""

from dataclasses import dataclass
from datetime import datetime

from latchkey.core import clock
from latchkey.core.device import device_name
from latchkey.sessions.models import Session


@dataclass(frozen=True, slots=True)
class Device:
    """A live session, as its owner sees it: where from, on what, since when, and until when without a refresh."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip: str | None
    device: str
    user_agent: str
    current: bool


def devices(user_id: int, current_id: int) -> list[Device]:
    """Return every live session of the user, the one used last first; one SELECT.

    There are as many as the policy's sessions_per_user at most, 10,000 where an operator goes to the end of that.
    """
    live = Session.objects.live(clock.now()).filter(user=user_id).order_by("-rotated_at", "-id")
    return [
        Device(
            id=session.pk,
            created_at=session.created_at,
            last_used_at=session.rotated_at,
            expires_at=session.expires_at,
            ip=session.ip,
            device=device_name(session.user_agent),
            user_agent=session.user_agent,
            current=session.pk == current_id,
        )
        for session in live.defer("selector", "digest", "next_digest")
    ]
