"""Admin page of the runtime settings (django-constance), with a label for each setting beside its name.

The name, such as ACCESS_TOKEN_LIFETIME, stays on the page: the documentation and the command line use it.
"""

from datetime import timedelta
from typing import Any

from constance.admin import Config, ConstanceAdmin
from django.apps import apps
from django.contrib import admin

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
"""Seconds of each unit, the largest first: a duration is shown in the largest unit that divides it."""

apps.get_app_config("constance").verbose_name = "Configuration"
Config._meta.verbose_name_plural = "settings"
admin.site.unregister([Config])


class SettingsAdmin(ConstanceAdmin):
    """Constance's page, whose template also gets a label and a readable default."""

    def get_config_value(self, name: str, options: Any, form: Any, initial: Any) -> dict[str, Any]:
        """Return what the template shows of a setting."""
        value: dict[str, Any] = super().get_config_value(name, options, form, initial)
        return value | {"label": label_for(name), "default_label": readable(options[0])}


def label_for(name: str) -> str:
    """Return the label of a setting: ACCESS_TOKEN_LIFETIME is "Access token lifetime"."""
    return name.lower().replace("_", " ").replace("email", "e-mail").capitalize()


def readable(value: Any) -> str:
    """Return a value for people: "30 days" for a duration, "on" or "off" for a switch."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, timedelta):
        return str(value)
    seconds = int(value.total_seconds())
    size, unit = next((size, unit) for size, unit in UNITS if (seconds and seconds % size == 0) or size == 1)
    return f"{seconds // size} {unit}{'' if seconds == size else 's'}"


admin.site.register([Config], SettingsAdmin)
