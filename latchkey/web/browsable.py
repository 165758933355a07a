"""Browsable API: DRF's pages, with a form field for an access token."""

import json
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode

from django.utils.html import format_html
from rest_framework.renderers import BrowsableAPIRenderer

from latchkey.web.input import StrictFormParser
from latchkey.web.problems import CONTENT_TYPE as PROBLEM

HINTS = {
    401: "Put an access token into the box above; login and refresh answer one.",
    405: "Nothing to read here: fill in the body below and send it.",
}


class BrowsableRenderer(BrowsableAPIRenderer):
    """DRF's renderer plus a form field for an access token, as a browser cannot send one by itself."""

    template = "latchkey/browsable.html"

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Literal[True] | None:
        """Show no HTML form, as the raw form sends JSON. A DELETE without a body has its button."""
        has_button = method == "DELETE" and method in view.allowed_methods and view.input_class is None
        return True if has_button else None

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Fill the raw form with the fields of the body, and with the values that the page shows."""
        form = super().get_raw_data_form(data, view, method, request)
        if form:
            shown = data if isinstance(data, Mapping) else {}
            body = {name: shown.get(name, "") for name in view.get_serializer().fields}
            takes_form = StrictFormParser in view.parser_classes
            form.fields["_content"].initial = (
                urlencode(body) if takes_form else json.dumps(body, indent=4, ensure_ascii=False)
            )
        return form

    def get_description(self, view: Any, status_code: int) -> str:
        """Add a hint for the errors that every visitor of the page gets."""
        return format_html("{}<p><b>{}</b></p>", view.get_view_description(html=True), HINTS.get(status_code, ""))

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> dict[str, Any]:
        """Show the content type that a program gets, and an error without authenticating again."""
        response = renderer_context["response"]
        if response.status_code in (401, 503):  # else DRF would judge the token anew, and fail in mid-page
            renderer_context["request"]._not_authenticated()
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        if response.exception:
            context["response_headers"]["Content-Type"] = PROBLEM
        return context
