"""The admin area: who is let in, what it calls things, and its first page."""

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

apps.get_app_config("auth").verbose_name = "Staff"


class Site(UnfoldAdminSite):
    """unfold's site with our door."""

    login_form = SignInForm
    index_title = "Accounts, sessions and settings"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show how the service fares, to those who may see it, above the list of pages."""
        shown: dict[str, Any] = {}
        if request.user.has_perm("latchkey.view_hourlycount"):
            chosen = request.GET.get("period", "")
            chosen = chosen if chosen in PERIODS else next(iter(PERIODS))
            shown = {"charts": charts(PERIODS[chosen]), "periods": PERIODS, "chosen": chosen}
        if request.user.has_perm("latchkey.view_mail"):
            shown["mail"] = mail_queue_summary()
        return super().index(request, shown | (extra_context or {}))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Do as unfold does, with our form."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, client=client_info(request.META)),
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        return view(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer 404: no page of ours asks here, and what it found would stay in the memory of a worker."""
        raise Http404
