"""What pages call a device."""

from latchkey.core.device import UNKNOWN, device_name


def shown(user_agent: str) -> str:
    """Return the device's name; what it calls itself, where nobody knows a name for that."""
    if not user_agent:
        return "-"
    name = device_name(user_agent)
    return user_agent if name == UNKNOWN else name
