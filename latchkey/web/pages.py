"""Pages with a form, without scripts, and the pages that links in mails lead to.

A GET of a linked page changes nothing, as mail scanners follow links: the button of its form does. The token is in the
URL of the first page only. The form sends it in its body, and the referrer policy keeps the URL from other sites.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.generic import FormView

from latchkey.core.client import ClientInfo, client_info
from latchkey.core.exceptions import ApiError, InvalidCode, MethodNotAllowed, ServiceUnavailable, TooManyAttempts
from latchkey.web.problems import problem_response

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin"}
"""'strict-origin' sends only the host as referrer. 'no-referrer' would also have browsers send 'Origin: null' with the
form, which could then come from any page (Fetch standard, append a request Origin header)."""


class FormPage(FormView):  # type: ignore[type-arg]  # not generic at run time
    """A page with one form, whose fields `perform` gets."""

    http_method_names = ["get", "head", "post"]
    hashes_password: ClassVar[frozenset[str]] = frozenset()
    """HTTP methods that hash a password: their requests wait in the hashing queue."""

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Execute the use case of the page; raises an ApiError."""
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
        except (InvalidCode, TooManyAttempts, ServiceUnavailable) as error:
            return self.render_error(error)
        except ApiError as error:
            for field, sentences in error.errors.items():
                form.add_error(field if field in form.fields else None, list(sentences))
            return self.form_invalid(form)
        return self.render_page(200, done=True)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with its errors."""
        return self.render_page(400, form=form)

    def render_error(self, error: ApiError) -> HttpResponse:
        """Show the error in place of the form."""
        response = self.render_page(error.status, error=error, wait=error.headers.get("Retry-After"))
        for name, value in error.headers.items():
            response.headers[name] = value
        return response

    def render_page(self, status: int, **context: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**context), status=status)


class TokenForm(forms.Form):
    """The form behind the button: the token of the link."""

    token = forms.CharField(max_length=64, strip=False, widget=forms.HiddenInput)


class EmailLinkPage(FormPage):
    """A page behind a link in a mail: `preview` checks the token of the link, `perform` uses it."""

    form_class = TokenForm

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return what the page shows besides its form; raises an ApiError."""
        raise NotImplementedError

    def get_initial(self) -> dict[str, Any]:
        return {"token": self.request.GET.get("token", "")}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.render_page(200, **self._preview(self.get_initial()["token"]))
        except ApiError as error:
            return self.render_error(error)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with its errors while the link is valid."""
        try:
            return self.render_page(400, form=form, **self._preview(form.data.get("token", "")))
        except ApiError as error:
            return self.render_error(error)

    def _preview(self, token: str) -> Mapping[str, Any]:
        if not token:
            raise InvalidCode
        return self.preview(token, client_info(self.request.META))
