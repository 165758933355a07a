"""The WSGI application that the server's workers load."""

import os
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from latchkey.conf.database import limit_waiting


def assembled() -> Any:
    """Return Django's application with the short way before it."""
    django = get_wsgi_application()
    from latchkey.telemetry.tracing import traced  # noqa: PLC0415
    from latchkey.urls import PLAIN  # noqa: PLC0415 - Django must have been set up
    from latchkey.web.fast_path.application import ShortWay  # noqa: PLC0415 - and for this

    return traced(ShortWay(django, PLAIN))


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
limit_waiting(settings.DATABASES["default"])
application = assembled()
