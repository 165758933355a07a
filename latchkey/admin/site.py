"""The admin site (django-unfold): sign-in, dashboard and password change."""

from functools import partial
from typing import Any

from django.apps import apps
from django.contrib.auth.views import PasswordChangeView
from django.http import Http404, HttpRequest
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from latchkey.admin.dashboard import charts, mail_queue_summary
from latchkey.admin.periods import PERIODS
from latchkey.admin.sign_in_form import SignInForm
from latchkey.admin.user_forms import OwnPasswordForm
from latchkey.core.client import client_info
from latchkey.hashing.queue import hashes_password

apps.get_app_config("auth").verbose_name = "Staff"


class Site(UnfoldAdminSite):
    """unfold's site with our sign-in form, dashboard and password form."""

    login_form = SignInForm
    index_title = "Dashboard"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the charts and the mail queue to staff with the permissions, above the list of pages."""
        shown: dict[str, Any] = {}
        if request.user.has_perm("latchkey.view_hourlycount"):
            chosen = request.GET.get("period", "")
            chosen = chosen if chosen in PERIODS else next(iter(PERIODS))
            shown = {"charts": charts(PERIODS[chosen]), "periods": PERIODS, "chosen": chosen}
        if request.user.has_perm("latchkey.view_mail"):
            shown["mail"] = mail_queue_summary()
        return super().index(request, shown | (extra_context or {}))

    @hashes_password("POST")
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().login(request, extra_context)

    @hashes_password("POST")
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show unfold's page with our form, which limits attempts."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, client=client_info(request.META)),
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer 404: no page uses the search of unfold, which would keep its results in the memory of a worker."""
        raise Http404
