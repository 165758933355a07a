"""A time limit for responses that the client does not read: without one, such a connection would stay open for ever.

A client that pipelines requests and reads no response fills the buffers of its connection. The kernel then asks it for
ever whether it reads again, and a worker has a limited number of connections.
"""

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path

UNREAD_SECONDS = 20
"""Seconds until a connection ends whose client reads nothing, or acknowledges nothing, of what was sent."""

RETRY_SECONDS = 0.1


def limit_unread_responses(loop: asyncio.AbstractEventLoop, listeners: int) -> None:
    """Set TCP_USER_TIMEOUT on the listening sockets of this process, as connections inherit it (tcp(7)).

    Granian opens its socket in Rust, has no option for it, and may do so a moment later. Without /proc, which is not on
    Linux, there is no limit.
    """
    found = 0
    with suppress(FileNotFoundError):
        for descriptor in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError), socket.socket(fileno=os.dup(int(descriptor.name))) as duplicate:  # or no socket
                if duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
                    found += 1
        if found < listeners:
            loop.call_later(RETRY_SECONDS, limit_unread_responses, loop, listeners)
