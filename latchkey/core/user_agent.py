"""Human-readable device names from User-Agent strings, for the list of sessions, mails and the admin area."""

from functools import cache
from typing import Any

UNKNOWN = "Unknown device"
APPLE_DEVICES = ("iPhone", "iPad")


def device_name(user_agent: str) -> str:
    """Return a name such as 'Firefox on Linux'. Clients choose their User-Agent, so no decision may depend on it."""
    parsed = _parser().parse(user_agent)
    browser = parsed.user_agent.family if parsed.user_agent else ""
    system = parsed.os.family if parsed.os else ""
    device = next((name for name in APPLE_DEVICES if name in user_agent), system)
    return " on ".join(part for part in (browser, device) if part) or UNKNOWN


@cache
def _parser() -> Any:
    """Load ua-parser's patterns for browsers and operating systems at first use: they take 20 MB and 0.1 s.

    The patterns for device vendors, which would take as much again, are left out. All are matched in linear time,
    whatever a client sends.
    """
    from ua_parser import Parser  # noqa: PLC0415 - late, because of the memory
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415 - late, as above
    from ua_parser.regex import Resolver  # noqa: PLC0415 - late, as above

    browsers, systems, _ = load_lazy_builtins()
    return Parser(Resolver((browsers, systems, [])))
