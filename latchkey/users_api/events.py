"""Audit events of a user for back ends, newest first, in pages: all that operators see in the admin area."""

from collections.abc import Sequence

from latchkey.audit.models import AuditEvent
from latchkey.profile.history import PAGE_SIZE


def list_events(user_id: int, before: int | None = None) -> tuple[Sequence[AuditEvent], int | None]:
    """Return one page of events older than `before`, and the `before` of the next page, None at the end; one SELECT.

    The id of an event is no more than a position (keyset pagination), so that of another user's event is no error.
    """
    rows = AuditEvent.objects.filter(user_id=user_id).order_by("-id")
    page = list((rows if before is None else rows.filter(id__lt=before))[: PAGE_SIZE + 1])
    return page[:PAGE_SIZE], page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None
