"""DRF's browsable API, for people with a browser."""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class BrowsableRenderer(BrowsableAPIRenderer):
    """The stock page plus a box that takes an access token, since a browser cannot send one by itself."""

    template = "latchkey/browsable.html"

    def get_rendered_html_form(self, *args: Any, **kwargs: Any) -> None:
        """Leave the HTML form out: bodies are JSON, and the raw form sends that."""
