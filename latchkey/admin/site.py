"""The admin area: where Django looks for it, who is let in, and what it calls things."""

from typing import Any

from django.apps import apps
from django.http import Http404, HttpRequest
from unfold.sites import UnfoldAdminSite

from latchkey.admin.sign_in_form import SignInForm

apps.get_app_config("auth").verbose_name = "Staff"


class Site(UnfoldAdminSite):
    """unfold's site with our door."""

    login_form = SignInForm
    index_title = "Accounts, sessions and settings"

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer 404: no page of ours asks here, and what it found would stay in the memory of a worker."""
        raise Http404
