"""The closed list of what is worth telling an operator."""

from enum import StrEnum


class Event(StrEnum):
    """What happened, as subject and participle."""

    USER_REGISTERED = "user.registered"
    USER_DEACTIVATED = "user.deactivated"
    USER_REACTIVATED = "user.reactivated"
    USER_SIGNED_OUT_EVERYWHERE = "user.signed_out_everywhere"
    LOGIN_SUCCEEDED = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_RETRIED = "session.retried"
    SESSION_REPLAYED = "session.replayed"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
