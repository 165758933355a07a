"""Admin page of the runtime settings (django-constance), with a label for each setting beside its name.

The name, such as ACCESS_TOKEN_LIFETIME, stays on the page: the documentation and the command line use it.
"""

from dataclasses import fields
from typing import Any

from constance import config
from constance.admin import Config, ConstanceAdmin
from constance.forms import ConstanceForm
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from latchkey.admin.operators import operator_of
from latchkey.audit.policy_changes import changing_policy
from latchkey.conf.durations import readable
from latchkey.conf.policy import Policy, label_of

SETTINGS = {setting.name.upper(): setting for setting in fields(Policy)}
"""The settings by their names in capitals."""

apps.get_app_config("constance").verbose_name = "Configuration"
Config._meta.verbose_name_plural = "settings"
admin.site.unregister([Config])


class SettingsForm(ConstanceForm):
    """Constance's form, which records each change as an event with the operator."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.request = request

    def save(self) -> list[str]:
        """Save the changed settings, all or none; return a text for each, with the old and the new value."""
        before = {name: readable(getattr(config, name)) for name in settings.CONSTANCE_CONFIG}
        with transaction.atomic(), changing_policy(operator_of(self.request)):
            changed: list[str] = super().save()
        after = {name: readable(self.cleaned_data[name]) for name in changed}
        return [f"{label_of(SETTINGS[name])} ({name}) from {before[name]} to {after[name]}" for name in changed]


class SettingsAdmin(ConstanceAdmin):
    """Constance's page, whose template also gets a label and a readable default."""

    change_list_form = SettingsForm

    def get_config_value(self, name: str, options: Any, form: Any, initial: Any) -> dict[str, Any]:
        """Return what the template shows of a setting."""
        value: dict[str, Any] = super().get_config_value(name, options, form, initial)
        setting = SETTINGS[name]
        unit = setting.metadata.get("unit", "")
        default = f"{readable(options[0])} {unit}".rstrip()
        return value | {"label": label_of(setting), "unit": unit, "default_label": default}


admin.site.register([Config], SettingsAdmin)
