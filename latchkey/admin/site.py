"""The admin site (django-unfold): sign-in, reauthentication, dashboard and password change."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib.auth.views import PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.sites import UnfoldAdminSite

from latchkey.accounts.models import User
from latchkey.admin.dashboard import charts, mail_alerts, mail_queue_summary, user_totals
from latchkey.admin.periods import PERIODS
from latchkey.admin.query_strings import tolerate_query
from latchkey.admin.reauthentication import (
    MAX_AGE_SECONDS,
    ReauthenticationForm,
    done,
    remember_password,
    require_recent_password,
    safe_next,
)
from latchkey.admin.sign_in_form import SignInForm
from latchkey.admin.user_forms import OwnPasswordForm
from latchkey.core.client import client_info
from latchkey.hashing.queue import hashes_password

apps.get_app_config("auth").verbose_name = "Staff"


class Site(UnfoldAdminSite):
    """unfold's site with our sign-in form, dashboard and password form."""

    login_form = SignInForm
    index_title = "Dashboard"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Return the view for staff alone; one that changes something asks for the password again.

        No query string makes it fail.
        """
        wrapped: Callable[..., Any] = super().admin_view(tolerate_query(require_recent_password(view)), cacheable)
        return wrapped

    def extra_urls(self) -> list[URLPattern]:
        """Return the routes that unfold's site does not have."""
        return [path("reauthenticate/", self.admin_view(self.reauthenticate), name="reauthenticate")]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show charts, the number of users and the mail queue to staff with the permissions, above all pages."""
        shown: dict[str, Any] = {}
        if request.user.has_perm("latchkey.view_hourlycount"):
            chosen = request.GET.get("period", "")
            chosen = chosen if chosen in PERIODS else next(iter(PERIODS))
            shown = {"charts": charts(PERIODS[chosen]), "periods": PERIODS, "chosen": chosen}
        if request.user.has_perm("latchkey.view_mail"):
            shown |= {"mail": mail_queue_summary(), "alerts": mail_alerts()}
        if request.user.has_perm("latchkey.view_user"):
            shown["users"] = user_totals()
        return super().index(request, shown | (extra_context or {}))

    @hashes_password("POST")
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the sign-in page, with the way to a new password."""
        return super().login(request, {"mail_server": settings.MAIL_SERVER is not None, **(extra_context or {})})

    @hashes_password("POST")
    def reauthenticate(self, request: HttpRequest) -> HttpResponse:
        """Ask for the operator's password, and return to the page in `next`."""
        form = ReauthenticationForm(cast("User", request.user), client_info(request.META), request.POST or None)
        if request.method == "POST" and form.is_valid():
            return done(request)
        shown = {
            **self.each_context(request),
            "title": "Confirm your password",
            "form": form,
            "next": safe_next(request, request.POST.get("next") or request.GET.get("next", "")),
            "minutes": MAX_AGE_SECONDS // 60,
        }
        return TemplateResponse(request, "latchkey/reauthenticate.html", shown)

    @hashes_password("POST")
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show unfold's page with our form, which limits attempts."""
        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=partial(OwnPasswordForm, client=client_info(request.META)),
            success_url=reverse(f"{self.name}:password_change_done", current_app=self.name),
            extra_context={**self.each_context(request), **(extra_context or {})},
        )
        response = view(request)
        if request.method == "POST" and response.status_code == 302:
            remember_password(request)
        return response

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer 404: no page uses the search of unfold, which would keep its results in the memory of a worker."""
        raise Http404
