"""What a person calls a device, out of what it calls itself."""

from functools import cache
from typing import Any

UNKNOWN = "Unknown device"
APPLE_DEVICES = ("iPhone", "iPad")


def device_name(user_agent: str) -> str:
    """Return a name such as 'Firefox on Linux'; a guess for people, and nothing that a decision may rest on."""
    found = _parser().parse(user_agent)
    program = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    place = next((name for name in APPLE_DEVICES if name in user_agent), system)
    return " on ".join(part for part in (program, place) if part) or UNKNOWN


@cache
def _parser() -> Any:
    """Load the patterns for programs and systems, when the first one asks: they take 20 MB and a tenth of a second.

    Those for makers of devices, which would take as much again, are left out. They are matched in linear time, whatever
    somebody sends.
    """
    from ua_parser import Parser  # noqa: PLC0415 - late, for that reason
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415
    from ua_parser.regex import Resolver  # noqa: PLC0415

    programs, systems, _ = load_lazy_builtins()
    return Parser(Resolver((programs, systems, [])))
