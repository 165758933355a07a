"""Pages of ours with a form: they work without scripts, and say a refusal in place of it.

The pages that links in mails lead to. Reading one changes nothing, as scanners of mail follow links; a button does.

The token is in the address of the first page alone: the form sends it in its body, and a browser tells nobody that
address.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.generic import FormView

from latchkey.core.client import ClientInfo, client_info
from latchkey.core.exceptions import ApiError, InvalidCode, MethodNotAllowed, TooManyAttempts
from latchkey.web.problems import problem_response

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin"}
"""Of the address only the host is told. 'no-referrer' would also make browsers send 'Origin: null' with the form, which
then could be that of any page (Fetch standard, append a request Origin header)."""


class FormPage(FormView):  # type: ignore[type-arg]  # not generic at run time
    """A page for one purpose, which `act` fulfils with the fields of the form."""

    http_method_names = ["get", "head", "post"]

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Do what the page is for; raises a Refusal."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return problem_response(MethodNotAllowed(headers={"Allow": "GET, HEAD, POST"}))

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            self.perform(form.cleaned_data, client_info(self.request.META))
        except (InvalidCode, TooManyAttempts) as refusal:
            return self.render_error(refusal)
        except ApiError as refusal:
            for field, sentences in refusal.errors.items():
                form.add_error(field if field in form.fields else None, list(sentences))
            return self.form_invalid(form)
        return self.render_page(200, done=True)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with what is wrong."""
        return self.render_page(400, form=form)

    def render_error(self, refusal: ApiError) -> HttpResponse:
        """Say in place of the form why there is none."""
        response = self.render_page(refusal.status, refusal=refusal, wait=refusal.headers.get("Retry-After"))
        for name, value in refusal.headers.items():
            response.headers[name] = value
        return response

    def render_page(self, status: int, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context), status=status)


class TokenForm(forms.Form):
    """What a button sends: the token that the page was opened with."""

    token = forms.CharField(max_length=64, strip=False, widget=forms.HiddenInput)


class EmailLinkPage(FormPage):
    """A page for one purpose: `look` asks whether its link still opens something, `act` does what it is for."""

    form_class = TokenForm

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return what the page shows besides its form; raises a Refusal."""
        raise NotImplementedError

    def get_initial(self) -> dict[str, Any]:
        return {"token": self.request.GET.get("token", "")}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.render_page(200, **self._preview(self.get_initial()["token"]))
        except ApiError as refusal:
            return self.render_error(refusal)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with what is wrong, while the link is still good for another try."""
        try:
            return self.render_page(400, form=form, **self._preview(form.data.get("token", "")))
        except ApiError as refusal:
            return self.render_error(refusal)

    def _preview(self, token: str) -> Mapping[str, Any]:
        if not token:
            raise InvalidCode
        return self.preview(token, client_info(self.request.META))
