"""The policy's knobs as django-constance shows them: grouped, explained and checked for their range."""

from collections import OrderedDict
from dataclasses import Field, fields
from datetime import timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator

from latchkey.core.knobs import Policy


def constance_settings(defaults: Policy) -> tuple[dict[str, Any], dict[str, list[str]], dict[str, list[Any]]]:
    """Return constance's CONFIG, CONFIG_FIELDSETS and ADDITIONAL_FIELDS; a knob's name in capitals is its key."""
    config: dict[str, Any] = {}
    groups: OrderedDict[str, list[str]] = OrderedDict()  # constance sorts a plain dict
    form_fields: dict[str, list[Any]] = {}
    for knob in fields(Policy):
        key, default = knob.name.upper(), getattr(defaults, knob.name)
        config[key] = (default, knob.metadata["explained"], knob.name)
        groups.setdefault(knob.metadata["group"], []).append(key)
        form_fields[knob.name] = _form_field(knob, default)
    return config, groups, form_fields


def _form_field(knob: Field[Any], default: Any) -> list[Any]:
    if isinstance(default, bool):
        return ["django.forms.BooleanField", {"required": False, "widget": "unfold.widgets.UnfoldBooleanSwitchWidget"}]
    if choices := knob.metadata.get("choices"):
        named = [(choice, choice) for choice in choices]
        return ["django.forms.ChoiceField", {"choices": named, "widget": "unfold.widgets.UnfoldAdminSelectWidget"}]
    kind = "DurationField" if isinstance(default, timedelta) else "IntegerField"
    ends = [MinValueValidator(knob.metadata["low"]), MaxValueValidator(knob.metadata["high"])]
    return [f"django.forms.{kind}", {"validators": ends, "widget": "unfold.widgets.UnfoldAdminTextInputWidget"}]
