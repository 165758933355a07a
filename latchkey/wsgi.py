"""The WSGI application that the server's workers load."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from latchkey.core.database import limit_waiting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "latchkey.settings")
limit_waiting(settings.DATABASES["default"])
application = get_wsgi_application()
