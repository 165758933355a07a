"""Pages of API keys: create one, which is shown once, and revoke one. The overview lists them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse

from latchkey.account_pages.access import SignedInPage
from latchkey.account_pages.forms import validate_printable
from latchkey.api_keys.manage import (
    KeySpec,
    create_key,
    default_days,
    highest_days,
    list_keys,
    may_live_forever,
    revoke_key,
    scopes_of,
)
from latchkey.api_keys.models import NAME_LENGTH, ApiKey
from latchkey.authorization.models import Scope
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import ApiError, EmailNotVerified, NotFound, ServiceUnavailable
from latchkey.sign_in.browser_session import browser_authentication
from latchkey.web.problems import problem_response

DAYS = (7, 30, 90, 180, 366)
"""Lifetimes that the page offers, as far as the policy allows them, beside the longest."""


class CreateKeyForm(forms.Form):
    """What a new API key is to be: a name, some of the scopes that the person has, and when it expires."""

    name = forms.CharField(
        label="Name",
        max_length=NAME_LENGTH,
        validators=[validate_printable],
        widget=forms.TextInput({"autocomplete": "off", "autofocus": True}),
    )
    expires_in_days = forms.TypedChoiceField(label="Expires", coerce=int, empty_value=None, required=False)
    scopes = forms.MultipleChoiceField(label="Allowed to", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, scopes: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Scope.objects.filter(name__in=scopes).order_by("name")
        self.fields["scopes"].choices = [(scope.name, scope) for scope in known]  # type: ignore[attr-defined]
        self.fields["expires_in_days"].choices = _expiry_choices()  # type: ignore[attr-defined]


def _expiry_choices() -> list[tuple[str, str]]:
    """Return the lifetimes to choose from, in days, with '' for never where the policy allows that."""
    highest = highest_days()
    longest = {highest} if highest < DAYS[-1] else set()
    offered = sorted({days for days in DAYS if days <= highest} | {default_days()} | longest)
    choices = [(str(days), f"in {days} day{'' if days == 1 else 's'}") for days in offered]
    return [*choices, ("", "never")] if may_live_forever() else choices


class CreateKeyPage(SignedInPage):
    """/account/security/api-keys/add/: asks for a name, scopes and expiry, then shows the new key once."""

    template_name = "latchkey/account/create_api_key.html"
    form_class = CreateKeyForm
    shown_alone: ClassVar[tuple[type[ApiError], ...]] = (ServiceUnavailable, EmailNotVerified)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "scopes": scopes_of(self.user)}

    def get_initial(self) -> dict[str, Any]:
        return {"expires_in_days": str(default_days())}

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Create the key, and show it; raises EmailNotVerified, InvalidInput, or InvalidToken."""
        spec = KeySpec(fields["name"], fields["scopes"], fields["expires_in_days"])
        created = create_key(self.user.pk, browser_authentication(self.request), spec, client)
        self.template_name = "latchkey/account/api_key.html"
        return self.render_page(200, created=created)


class RevokeKeyPage(SignedInPage):
    """/account/security/api-keys/<id>/revoke/: asks once more, and revokes a key."""

    template_name = "latchkey/account/revoke_api_key.html"
    shown_alone: ClassVar[tuple[type[ApiError], ...]] = (ServiceUnavailable, NotFound)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(api_key=self.api_key(), **kwargs)

    def api_key(self) -> ApiKey | None:
        """Return the key; None if it is not one of this user."""
        return next((one for one in list_keys(self.user.pk) if one.key_id == self.kwargs["key_id"]), None)

    def find_missing(self) -> HttpResponse | None:
        missing = super().find_missing()
        return missing or (None if self.api_key() else problem_response(NotFound()))

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Revoke the key; raises NotFound where another request was faster."""
        revoke_key(self.user.pk, browser_authentication(self.request), self.kwargs["key_id"], client)
        return self.done("The API key is revoked.")
