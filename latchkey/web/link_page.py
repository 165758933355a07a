"""The pages that links in mails lead to. Reading one changes nothing, as scanners of mail follow links; a button does.

The token is in the address of the first page alone: the form sends it in its body, and a browser tells nobody that
address.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from latchkey.core.client import Client, client_of
from latchkey.core.errors import InvalidCode, Refusal
from latchkey.web.form_page import FormPage


class TokenForm(forms.Form):
    """What a button sends: the token that the page was opened with."""

    token = forms.CharField(max_length=64, strip=False, widget=forms.HiddenInput)


class LinkPage(FormPage):
    """A page for one purpose: `look` asks whether its link still opens something, `act` does what it is for."""

    form_class = TokenForm

    def look(self, token: str, client: Client) -> Mapping[str, Any]:
        """Return what the page shows besides its form; raises a Refusal."""
        raise NotImplementedError

    def get_initial(self) -> dict[str, Any]:
        return {"token": self.request.GET.get("token", "")}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.shown(200, **self.looked(self.get_initial()["token"]))
        except Refusal as refusal:
            return self.refused(refusal)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with what is wrong, while the link is still good for another try."""
        try:
            return self.shown(400, form=form, **self.looked(form.data.get("token", "")))
        except Refusal as refusal:
            return self.refused(refusal)

    def looked(self, token: str) -> Mapping[str, Any]:
        if not token:
            raise InvalidCode
        return self.look(token, client_of(self.request.META))
