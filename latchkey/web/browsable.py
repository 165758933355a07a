"""Browsable API: DRF's pages, with a form field for an access token."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from django.utils.html import format_html
from rest_framework.exceptions import APIException
from rest_framework.renderers import BrowsableAPIRenderer

from latchkey.core import exceptions as errors
from latchkey.web.input import StrictFormParser
from latchkey.web.problems import CONTENT_TYPE as PROBLEM

USE_THE_BOX = "Put an access token into the box above; login and refresh answer one."
HINTS = {
    errors.NotAuthenticated.code: USE_THE_BOX,
    errors.InvalidToken.code: f"This token is of no use any more. {USE_THE_BOX}",
    errors.InvalidCredentials.code: "Check the e-mail address and the password in the body below.",
    errors.InvalidRefreshToken.code: "Sign in again; login answers a new refresh token.",
}
"""What a person on the page can do about an error, by its code: a status such as 401 has several causes."""

NOT_SECRET = frozenset({"email", "username", "redirect_to", "token_type_hint"})
"""Fields that a page repeats after an error. Passwords, tokens and codes are never part of a response; the script of
the page keeps them in the browser."""


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's renderer plus a form field for an access token, as a browser cannot send one by itself."""

    template = "latchkey/browsable.html"
    renderer_context: dict[str, Any]  # DRF sets it before it renders

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Literal[True] | None:
        """Show no HTML form, as the raw form sends JSON. A DELETE without a body has its button."""
        has_button = method == "DELETE" and method in view.allowed_methods and view.input_class is None
        return True if has_button else None

    def show_form_for_method(self, view: Any, method: str, request: Any, obj: Any) -> bool:
        """Show no form for a method that this caller may not call."""
        try:
            return bool(super().show_form_for_method(view, method, request, obj))
        except errors.ApiError:
            return False

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Fill the raw form with the fields of the body: the values that the page shows, after an error those typed."""
        form = super().get_raw_data_form(data, view, method, request)
        if form:
            failed = self.renderer_context["response"].exception
            shown = typed_values(request) if failed else data if isinstance(data, Mapping) else {}
            body = {name: shown.get(name, "") for name in view.get_serializer().fields}
            takes_form = StrictFormParser in view.parser_classes
            form.fields["_content"].initial = (
                urlencode(body) if takes_form else json.dumps(body, indent=4, ensure_ascii=False)
            )
        return form

    def get_description(self, view: Any, status_code: int) -> str:
        """Add a hint for the errors that a visitor of the page can do something about."""
        return format_html("{}<p><b>{}</b></p>", view.get_view_description(html=True), self.hint(view))

    def hint(self, view: Any) -> str:
        """Return what to do about the error that the page shows, '' where there is no error or nothing to do."""
        response = self.renderer_context["response"]
        code = str(response.data.get("code")) if response.exception and isinstance(response.data, Mapping) else ""
        if code == errors.MethodNotAllowed.code:
            what_to_do = "fill in the body below and send it" if view.input_class else "use the buttons of this page"
            return f"Nothing to read here: {what_to_do}."
        return HINTS.get(code, "")

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> dict[str, Any]:
        """Show the content type that a program gets, and an error without authenticating again."""
        response = renderer_context["response"]
        if response.status_code in (401, 503):  # else DRF would judge the token anew, and fail in mid-page
            renderer_context["request"]._not_authenticated()
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        if response.exception:
            context["response_headers"]["Content-Type"] = PROBLEM
        return context


def typed_values(request: Any) -> dict[str, str]:
    """Return what was sent in fields that are not secret; nothing of a body that could not be parsed."""
    try:
        sent = request.data
    except (errors.ApiError, APIException):
        return {}
    if not isinstance(sent, Mapping):
        return {}
    return {name: value for name, value in sent.items() if name in NOT_SECRET and isinstance(value, str)}
