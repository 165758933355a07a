"""Sockets that wait for clients."""

import socket

from django.core.exceptions import ImproperlyConfigured


def bind(host: str, port: int) -> socket.socket:
    """Return a socket with this address; raises ImproperlyConfigured where nobody could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        taken = socket.socket(family, kind, protocol)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        raise ImproperlyConfigured(f"Cannot listen on {host} port {port}: {error.strerror}.") from error
    return taken
