"""Listening TCP sockets, with errors that name the address."""

import socket

from django.core.exceptions import ImproperlyConfigured


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to this address; raises ImproperlyConfigured, for instance if the port is in use."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        server_socket = socket.socket(family, kind, protocol)
        server_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server_socket.bind(address)
    except OSError as error:
        raise ImproperlyConfigured(f"Cannot listen on {host} port {port}: {error.strerror}.") from error
    return server_socket
