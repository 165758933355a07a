"""docs/point-in-time-recovery.md names events that exist."""

import re

from latchkey.audit.events import Event
from tests.restore.page import page_line

TAKEN_BACK = {
    Event.SESSION_ENDED,
    Event.SESSION_REPLAYED,
    Event.USER_SIGNED_OUT_EVERYWHERE,
    Event.USER_DEACTIVATED,
    Event.USER_DELETED,
    Event.USER_PRIVILEGES_CHANGED,
    Event.PASSWORD_CHANGED,
    Event.PASSWORD_RESET,
    Event.EMAIL_CHANGED,
    Event.FACTOR_REMOVED,
    Event.FACTOR_RESET,
    Event.RECOVERY_CODE_USED,
    Event.API_KEY_REVOKED,
    Event.ROLE_REVOKED,
    Event.KEY_RETIRED,
}
"""Events that end something or make a secret invalid, which a restore takes back."""


def test_search_for_what_a_restore_takes_back_finds_the_events_that_end_something() -> None:
    pattern = page_line("journalctl -u latchkey -o cat").partition("grep -E ")[2].strip("'")
    assert {event for event in Event if re.search(pattern, f'{{"code": 200, "event": "{event}"}}')} == TAKEN_BACK
