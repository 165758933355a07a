"""New-device detection: whether the account's owner should get a mail about a sign-in.

A sign-in is compared with the account's earlier ones by device and network, as audit events have them.
"""

from ipaddress import ip_interface

from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.core.user_agent import device_name

LOGIN_EVENTS = frozenset({Event.LOGIN_SUCCEEDED.value, Event.ADMIN_LOGIN_SUCCEEDED.value})
"""The events of a sign-in."""

FIRST_PAGE, RECENT_EVENTS = 10, 500
"""Events read at first, and at most, along an index. Most people sign in as they just did; older ones do not count."""

MAX_NETWORKS = 3
"""After sign-ins from this many networks a device counts as travelling, and is not reported."""


def is_new_device(sign_in: AuditEvent) -> bool:
    """Return whether a sign-in is from a new device, or from a known one in a new network; False for the first one.

    The device is its name, as browsers update themselves; the network is the provider's range, as addresses change
    within it. A known device in a new network is reported, because a thief may use the same browser as half the world.
    It is not reported once it has come from MAX_NETWORKS: its owner travels, and would soon read none of these mails.
    """
    before = AuditEvent.objects.filter(user_id=sign_in.user_id, pk__lt=sign_in.pk).order_by("-pk")
    rows = before.values_list("name", "ip", "user_agent")
    for count in (FIRST_PAGE, RECENT_EVENTS):
        sources = {(ip, user_agent) for name, ip, user_agent in rows[:count] if name in LOGIN_EVENTS}
        if (sign_in.ip, sign_in.user_agent) in sources:  # the usual case, which needs no network and no device name
            return False
    past = {(provider_network(ip), user_agent) for ip, user_agent in sources}
    network = provider_network(sign_in.ip)
    if not past or (network, sign_in.user_agent) in past:  # still no device name needed
        return False
    device = device_name(sign_in.user_agent)
    networks = {known for known, user_agent in past if device_name(user_agent) == device}
    return network not in networks and len(networks) < MAX_NETWORKS


def provider_network(address: str | None) -> str:
    """Return the range that a provider assigns a customer's addresses from: /24 of IPv4, /48 of IPv6."""
    if address is None:
        return ""
    size = 48 if ":" in address else 24
    return str(ip_interface(f"{address}/{size}").network)
