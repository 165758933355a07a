"""The clock of the database beside that of this node, for decisions that the wrong clock of one node must not make."""

from datetime import UTC, datetime

from latchkey.core import clock
from latchkey.db.statements import fetch_all


def earlier_now() -> datetime:
    """Return the earlier of the present times of this node and of the database; raises DatabaseError.

    A node whose clock is ahead so does not end a waiting period of days for all. SQLite has the clock of the node.
    """
    ((at,),) = fetch_all("SELECT CURRENT_TIMESTAMP", {})
    of_database = datetime.fromisoformat(at).replace(tzinfo=UTC) if isinstance(at, str) else at
    return min(clock.now(), of_database)
