"""Form of what an operator types about an application: client id, name, resources. Each error is a sentence."""

import secrets
import string
from collections.abc import Sequence
from urllib.parse import urlsplit

from latchkey.applications.models import CLIENT_ID, IS_USER_ID, NAME_LENGTH

MAX_RESOURCES = 10
MAX_RESOURCE_LENGTH = 200
"""Characters of a resource, which stands in the `aud` of access tokens."""

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_ALPHABET = string.ascii_lowercase + string.digits


def make_client_id() -> str:
    """Return a client id that nobody has: `app-` and 16 random lower-case letters and digits."""
    return "app-" + "".join(secrets.choice(_ALPHABET) for _ in range(16))


def check_client_id(client_id: str) -> str:
    """Return a client id; raises ValueError for another form, and for digits alone (RFC 9700 section 4.15)."""
    if not CLIENT_ID.fullmatch(client_id):
        raise ValueError(
            f"{client_id[:64]!r} is not a valid client id; use up to 64 letters, digits, dots, hyphens and underscores."
        )
    if IS_USER_ID.fullmatch(client_id):
        raise ValueError("A client id needs a letter: one of digits alone could be taken for the id of a user.")
    return client_id


def check_name(name: str) -> str:
    """Return the name of an application without spaces around it; raises ValueError. It may be empty."""
    text = name.strip()
    if len(text) > NAME_LENGTH or not text.isprintable():
        raise ValueError(f"A name is one line of at most {NAME_LENGTH} letters, digits and punctuation.")
    return text


def check_resources(resources: Sequence[str]) -> list[str]:
    """Return resources, each once and in their order; raises ValueError.

    A resource is an absolute URI without a fragment (RFC 8707 section 2), here an https URL, or http on this machine.
    """
    found = list(dict.fromkeys(resources))
    if len(found) > MAX_RESOURCES:
        raise ValueError(f"An application has at most {MAX_RESOURCES} resources.")
    for resource in found:
        if not _is_resource(resource):
            raise ValueError(
                f"{resource[:MAX_RESOURCE_LENGTH]!r} is not a valid resource; use a URL such as "
                "https://orders.example.com/ without '#', with https (http for localhost only)."
            )
    return found


def _is_resource(resource: str) -> bool:
    if not 0 < len(resource) <= MAX_RESOURCE_LENGTH or not (resource.isascii() and resource.isprintable()):
        return False
    if any(character in ' #"<>\\^`{|}' for character in resource):  # not in a URI (RFC 3986 section 2)
        return False
    try:
        parts = urlsplit(resource)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOCAL_HOSTS)
