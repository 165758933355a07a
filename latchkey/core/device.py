"""What a person calls a device, out of what it calls itself."""

UNKNOWN = "Unknown device"


def device_name(user_agent: str) -> str:
    """Return a name such as 'Firefox on Linux'; a guess for people, and nothing that a decision may rest on.

    The patterns take 30 MB and a tenth of a second to load, so they wait for the first to ask.
    """
    from ua_parser import parse  # noqa: PLC0415 - late, for that reason

    found = parse(user_agent)
    program = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    device = found.device.family if found.device else ""
    place = device if device in ("iPhone", "iPad") else system
    return " on ".join(part for part in (program, place) if part) or UNKNOWN
