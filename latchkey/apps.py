"""The one Django app."""

from django.apps import AppConfig


class LatchkeyConfig(AppConfig):
    name = "latchkey"
    verbose_name = "Latchkey"

    def ready(self) -> None:
        from latchkey import checks  # noqa: F401, PLC0415  # registers the system checks
        from latchkey.keys import checks as key_checks  # noqa: F401, PLC0415  # and that of the key ring
        from latchkey.sessions import authentication  # noqa: F401, PLC0415  # registers the OpenAPI extension
