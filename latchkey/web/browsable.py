"""DRF's browsable API, for people with a browser."""

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
    """The stock page plus a box that takes an access token, since a browser cannot send one by itself."""

    template = "latchkey/browsable.html"

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Any) -> Literal[True] | None:
        """Leave the HTML form out, as the raw form sends what is read; a DELETE that reads nothing has its button."""
        has_button = method == "DELETE" and method in view.allowed_methods and view.input_class is None
        return True if has_button else None

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Any) -> Any:
        """Fill the raw form with the body's fields, and with what the page shows of them."""
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
        """Say what to do where the answer is a refusal that everybody meets who opens the page."""
        return format_html("{}<p><b>{}</b></p>", view.get_view_description(html=True), HINTS.get(status_code, ""))

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> dict[str, Any]:
        """Show the content type that a program gets, and a refusal without asking again who is calling."""
        response = renderer_context["response"]
        if response.status_code in (401, 503):  # else DRF would judge the token anew, and fail in mid-page
            renderer_context["request"]._not_authenticated()
        context: dict[str, Any] = super().get_context(data, accepted_media_type, renderer_context)
        if response.exception:
            context["response_headers"]["Content-Type"] = PROBLEM
        return context
