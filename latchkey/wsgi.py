"""The WSGI application that the server's workers load."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from latchkey.conf.database import apply_timeouts


def build_application() -> Any:
    """Return Django's application with the short way before it."""
    django = get_wsgi_application()
    from latchkey.telemetry.tracing import with_tracing  # noqa: PLC0415
    from latchkey.urls import FAST_HANDLERS  # noqa: PLC0415 - Django must have been set up
    from latchkey.web.fast_path import FastPath  # noqa: PLC0415 - and for this

    return with_tracing(FastPath(django, FAST_HANDLERS))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
apply_timeouts(settings.DATABASES["default"])
application = build_application()
