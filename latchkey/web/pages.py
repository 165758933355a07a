"""Pages with a form, without scripts, and the pages that links in mails lead to.

A GET of a linked page changes nothing, as mail scanners follow links: the button of its form does. The token is in the
URL of the first page only. The form sends it in its body, and the referrer policy keeps the URL from other sites.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.generic import FormView

from latchkey.conf.site import current_site
from latchkey.conf.web_urls import is_allowed_redirect
from latchkey.core.client import ClientInfo, client_info
from latchkey.core.exceptions import ApiError, InvalidCode, MethodNotAllowed, ServiceUnavailable, TooManyAttempts
from latchkey.web.input import MAX_TOKEN_INPUT, trim_link_token
from latchkey.web.problems import problem_response
from latchkey.web.site_pages import add_page_headers, site_context

HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin"}
"""'strict-origin' sends only the host as referrer. 'no-referrer' would also have browsers send 'Origin: null' with the
form, which could then come from any page (Fetch standard, append a request Origin header)."""


class FormPage(FormView):  # type: ignore[type-arg]  # not generic at run time
    """A page with one form, whose fields `perform` gets."""

    http_method_names = ["get", "head", "post"]
    hashes_password: ClassVar[frozenset[str]] = frozenset()
    """HTTP methods that hash a password: their requests wait in the hashing queue."""
    shown_alone: ClassVar[tuple[type[ApiError], ...]] = (InvalidCode, TooManyAttempts, ServiceUnavailable)
    """Errors that are shown in place of the form: sending it once more would not help."""

    def perform(self, fields: Mapping[str, Any], client: ClientInfo) -> None:
        """Execute the use case of the page; raises an ApiError."""
        raise NotImplementedError

    def redirect_to(self, fields: Mapping[str, Any], client: ClientInfo) -> str | None:
        """Return where the button after success leads, None for the application; asked before `perform`."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return problem_response(MethodNotAllowed(headers={"Allow": ", ".join(self.http_method_names).upper()}))

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return self.answer(form.cleaned_data, client_info(self.request.META))
        except self.shown_alone as error:
            return self.render_error(error)
        except ApiError as error:
            return self.show_beside_form(form, error)

    def answer(self, fields: Mapping[str, Any], client: ClientInfo) -> HttpResponse:
        """Execute the use case, and return the page that says so; raises an ApiError."""
        target = self.redirect_to(fields, client)
        self.perform(fields, client)
        return self.render_page(200, done=True, **continue_context(target))

    def show_beside_form(self, form: Any, error: ApiError) -> HttpResponse:
        """Show the form again with an error of the use case."""
        for field, sentences in error.errors.items():
            form.add_error(field if field in form.fields else None, list(sentences))
        return self.form_invalid(form)

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
        site = current_site()
        context = self.get_context_data(**site_context(site, **context))
        response = self.render_to_response(context, status=status)
        add_page_headers(response, site)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.render_page(200)


def continue_context(redirect_to: str | None) -> dict[str, str]:
    """Return where the button leads, if the operator still allows it: a mail may be older than the settings."""
    allowed = redirect_to and is_allowed_redirect(redirect_to, settings.REDIRECT_URLS)
    return {"continue_url": redirect_to} if redirect_to and allowed else {}


class TokenForm(forms.Form):
    """The form behind the button: the token of the link, and the reference beside it."""

    token = forms.CharField(max_length=MAX_TOKEN_INPUT, strip=False, widget=forms.HiddenInput)
    ref = forms.CharField(max_length=MAX_TOKEN_INPUT, required=False, widget=forms.HiddenInput)

    def clean_token(self) -> str:
        """Return the token without what mail programs have made of it."""
        return trim_link_token(self.cleaned_data["token"])


class EmailLinkPage(FormPage):
    """A page behind a link in a mail: `preview` checks the token of the link, `perform` uses it."""

    form_class = TokenForm

    def preview(self, token: str, client: ClientInfo) -> Mapping[str, Any]:
        """Return what the page shows besides its form; raises an ApiError."""
        raise NotImplementedError

    def get_initial(self) -> dict[str, Any]:
        """Return the token of the link, whose parameter some mail programs escape together with its name."""
        sent = self.request.GET
        token = sent.get("token") or next((name[6:] for name in sent if name.startswith("token=")), "")
        return {"token": trim_link_token(token), "ref": sent.get("ref", "")}

    def used_link_context(self, token: str, reference: str) -> Mapping[str, Any]:
        """Return what the page shows of a link that is invalid by now; `already` if what it does was done."""
        return {}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self.render_page(200, **self._preview(self.get_initial()["token"]))
        except ApiError as error:
            return self.render_error(error)

    def render_error(self, error: ApiError) -> HttpResponse:
        """Show the error in place of the form; of a used link that was successful, that it was."""
        if not isinstance(error, InvalidCode):
            return super().render_error(error)
        sent = self.request.POST if self.request.method == "POST" else self.get_initial()
        context = self.used_link_context(trim_link_token(sent.get("token", "")), sent.get("ref", ""))
        return self.render_page(200 if context.get("already") else error.status, error=error, **context)

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the form again with its errors while the link is valid."""
        try:
            return self.render_page(400, form=form, **self._preview(trim_link_token(form.data.get("token", ""))))
        except ApiError as error:
            return self.render_error(error)

    def _preview(self, token: str) -> Mapping[str, Any]:
        if not token:
            raise InvalidCode
        return self.preview(token, client_info(self.request.META))
