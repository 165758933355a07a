"""Whether a sign-in looks like those before it, to the person whose account it is."""

from ipaddress import ip_interface

from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.core.user_agent import device_name

LOGIN_EVENTS = frozenset({Event.LOGIN_SUCCEEDED.value, Event.ADMIN_LOGIN_SUCCEEDED.value})
FIRST_PAGE, RECENT_EVENTS = 10, 500
"""Events before this one, along an index: most sign in as they just did; what is older is as good as forgotten."""
MAX_NETWORKS = 3
"""Networks from which a device has signed in, after which it may come from anywhere."""


def is_new_device(sign_in: AuditEvent) -> bool:
    """Tell whether to write to somebody about a sign-in; never about the first one.

    The same device on the same network is familiar: a browser that updates itself keeps its name, and an address that
    changes within a provider's range its network. The same device elsewhere is told of, as a thief may use the very
    browser that half the world uses; but not to somebody whose device has come from three networks already, who
    travels, and would soon read none of these mails.
    """
    before = AuditEvent.objects.filter(user_id=sign_in.user_id, pk__lt=sign_in.pk).order_by("-pk")
    rows = before.values_list("name", "ip", "user_agent")
    for count in (FIRST_PAGE, RECENT_EVENTS):
        places = {(ip, user_agent) for name, ip, user_agent in rows[:count] if name in LOGIN_EVENTS}
        if (sign_in.ip, sign_in.user_agent) in places:  # the usual case, for which no network has to be found
            return False
    past = {(provider_network(ip), user_agent) for ip, user_agent in places}
    here = provider_network(sign_in.ip)
    if not past or (here, sign_in.user_agent) in past:  # nor a name
        return False
    device = device_name(sign_in.user_agent)
    networks = {place for place, user_agent in past if device_name(user_agent) == device}
    return here not in networks and len(networks) < MAX_NETWORKS


def provider_network(address: str | None) -> str:
    """Return what a provider moves a customer about in: the /24 of an IPv4 address, the /48 of an IPv6 one."""
    if address is None:
        return ""
    size = 48 if ":" in address else 24
    return str(ip_interface(f"{address}/{size}").network)
