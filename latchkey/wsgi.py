"""WSGI application that each worker loads: tracing, the fast path, and Django behind it.

`server/rsgi.py` calls it in its request threads; any other WSGI server can serve it, too.
"""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from latchkey.conf.database import apply_timeouts


def build_application() -> Any:
    """Return Django's application, with the fast path and tracing in front of it."""
    django = get_wsgi_application()
    from latchkey.telemetry.tracing import with_tracing  # noqa: PLC0415
    from latchkey.web.fast_path import FastPath, fast_endpoints  # noqa: PLC0415 - Django must have been set up

    return with_tracing(FastPath(django, fast_endpoints()))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
apply_timeouts(settings.DATABASES["default"])
application = build_application()
