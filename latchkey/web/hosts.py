"""Middleware that refuses requests for an unknown host, and says so in the log; health checks accept any host.

A load balancer probes a node by its IP address, which is no host that clients use. A page for an unknown host would
have links to it, so everything else is refused (OWASP, Host header injection).
"""

from time import monotonic

import structlog
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware

HEALTH_CHECK_PATHS = frozenset({"/livez", "/readyz"})
"""Paths that answer whatever Host a request has, or has not: nothing in the answer depends on it."""

LOG_INTERVAL = 60.0
"""Seconds until a worker logs the same unknown host again."""

MAX_LOGGED_HOSTS, MAX_HOST_LENGTH = 20, 255
"""Unknown hosts that a worker logs in LOG_INTERVAL, and characters of each: a client can send any, and as many."""

log = structlog.get_logger(__name__)

_logged: dict[str, float] = {}


class HostMiddleware(CommonMiddleware):
    """Django's CommonMiddleware, which checks the Host header, except for health checks."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in HEALTH_CHECK_PATHS:
            return None
        try:
            return super().process_request(request)
        except DisallowedHost:
            log_unknown_host(request.headers.get("Host", ""))
            raise


def log_unknown_host(host: str) -> None:
    """Log a Host header that was refused, once in LOG_INTERVAL: most likely a host that the settings lack."""
    host, now = "".join(c if c.isprintable() else "?" for c in host[:MAX_HOST_LENGTH]).lower(), monotonic()
    for known in [known for known, logged_at in _logged.copy().items() if now - logged_at >= LOG_INTERVAL]:
        _logged.pop(known, None)
    if host not in _logged and len(_logged) < MAX_LOGGED_HOSTS:
        _logged[host] = now
        hint = "if clients use this host, add it to LATCHKEY_ALLOWED_HOSTS"
        log.warning("request.refused", reason="unknown_host", host=host, hint=hint)
