"""Form of an application in the admin area: resources as lines of text, public keys as a JSON Web Key Set."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from latchkey.applications.models import NAME_LENGTH, Application
from latchkey.applications.validation import check_client_id, check_name, check_resources
from latchkey.authorization.models import Scope
from latchkey.tokens.public_keys import MAX_TEXT_LENGTH, parse_public_keys


def or_validation_error(check: Callable[[Any], Any], value: Any) -> Any:
    """Return what a check returns; raises ValidationError with the sentence of its ValueError."""
    try:
        return check(value)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error


class ResourcesField(forms.CharField):
    """A list of URLs, one a line."""

    widget = UnfoldAdminTextareaWidget({"rows": 3, "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list; raises ValidationError with a sentence."""
        return or_validation_error(check_resources, value if isinstance(value, list) else (value or "").split())


class PublicKeysField(forms.CharField):
    """Public keys as a JSON Web Key Set."""

    widget = UnfoldAdminTextareaWidget({"rows": 8, "spellcheck": "false", "class": "json"})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return json.dumps({"keys": value}, indent=2) if value else ""
        return value

    def to_python(self, value: Any) -> Any:
        """Return the list of keys; raises ValidationError with a sentence."""
        return value if isinstance(value, list) else or_validation_error(parse_public_keys, value or "")


class ScopesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """Scopes to tick, each with its description."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}: {obj.description}"


class ApplicationForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Add or change an application; fields that the operator did not touch are not saved."""

    client_id = forms.CharField(
        max_length=64,
        required=False,
        help_text="How the application names itself, such as orders; it never changes. Empty: a random one.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(
        max_length=NAME_LENGTH, required=False, help_text="For people.", widget=UnfoldAdminTextInputWidget
    )
    scopes = ScopesField(
        Scope.objects.all(),
        required=False,
        help_text="What its access tokens and API keys may be used for. users:write can change all users but staff.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    resources = ResourcesField(
        required=False,
        max_length=None,
        help_text="URLs of the services that its access tokens may be for, one a line; the first is the default.",
    )
    public_keys = PublicKeysField(
        required=False,
        max_length=MAX_TEXT_LENGTH,
        help_text="A JSON Web Key Set, for an application that authenticates with private_key_jwt. No private keys.",
    )

    class Meta:
        model = Application
        fields = ("client_id", "name", "scopes", "resources", "public_keys")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the initial values as hidden fields, to compare with: the row may change while the page is open."""
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = not field.disabled and self.instance.pk is not None

    def clean_client_id(self) -> str:
        """Return the client id, empty for a random one; raises ValidationError."""
        client_id = self.cleaned_data["client_id"]
        return str(or_validation_error(check_client_id, client_id)) if client_id else ""

    def clean_name(self) -> str:
        """Return the name; raises ValidationError."""
        return str(or_validation_error(check_name, self.cleaned_data["name"]))
