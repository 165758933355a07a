"""The admin site (django-unfold): sign-in, reauthentication, dashboard and password change."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.apps import apps
from django.conf import settings
from django.contrib.auth.views import PasswordChangeView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from latchkey.account_pages.passkey_options import EnrolmentOptionsView, SecondFactorOptionsView
from latchkey.accounts.models import User
from latchkey.admin.dashboard import charts, mail_alerts, mail_queue_summary, user_totals
from latchkey.admin.factor_forms import form_context
from latchkey.admin.periods import PERIODS
from latchkey.admin.query_strings import tolerate_query
from latchkey.admin.reauthentication import (
    MAX_AGE_SECONDS,
    build_form,
    reauthenticate,
    require_reauthentication,
    safe_next,
)
from latchkey.admin.sign_in_pages import AREA, EnrolmentPage, SecondFactorPage, SignInPage
from latchkey.admin.user_forms import OwnPasswordForm
from latchkey.conf.policy import current_policy
from latchkey.core.client import client_info
from latchkey.factors.available import available_factors
from latchkey.factors.tickets import TicketPurpose
from latchkey.hashing.queue import hashes_password
from latchkey.sign_in.admission import missing_step
from latchkey.sign_in.browser_session import browser_authentication, remember_proof
from latchkey.tokens.authentication_methods import Proof

apps.get_app_config("auth").verbose_name = "Staff"


class Site(UnfoldAdminSite):
    """unfold's site with our sign-in, dashboard and password form."""

    index_title = "Dashboard"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """Return the view for staff alone; one that changes something asks who is there.

        No query string makes it fail.
        """
        wrapped: Callable[..., Any] = super().admin_view(tolerate_query(require_reauthentication(view)), cacheable)
        return wrapped

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether this is active staff, in a browser session that has proved as much as the gate asks for.

        Where it asks for more than when the session was opened, the person has to sign in again.
        """
        return super().has_permission(request) and not what_is_missing(request)

    def extra_urls(self) -> list[URLPattern]:
        """Return the routes that unfold's site does not have."""
        return [
            path("reauthenticate/", self.admin_view(self.reauthenticate), name="reauthenticate"),
            path("login/second-factor/", self.second_factor, name="login_second_factor"),
            path(
                "login/second-factor/options/",
                SecondFactorOptionsView.as_view(area=AREA),
                name="login_second_factor_options",
            ),
            path(
                "login/enrolment/options/",
                EnrolmentOptionsView.as_view(area=AREA),
                name="login_enrolment_options",
            ),
            path("login/enrolment/", self.enrolment, name="login_enrolment"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show charts, the number of users and the mail queue to staff with the permissions, above all pages.

        Who has no second factor is told.
        """
        operator = cast("User", request.user)
        shown: dict[str, Any] = {
            "lacks_second_factor": not operator.second_factors and current_policy().second_factor != "off"
        }
        if request.user.has_perm("latchkey.view_hourlycount"):
            chosen = request.GET.get("period", "")
            chosen = chosen if chosen in PERIODS else next(iter(PERIODS))
            shown |= {"charts": charts(PERIODS[chosen]), "periods": PERIODS, "chosen": chosen}
        if request.user.has_perm("latchkey.view_mail"):
            shown |= {"mail": mail_queue_summary(), "alerts": mail_alerts()}
        if request.user.has_perm("latchkey.view_user"):
            shown["users"] = user_totals()
        return super().index(request, shown | (extra_context or {}))

    @method_decorator(never_cache)
    @hashes_password("POST")
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the sign-in page, with the way to a new password, or sign the person in."""
        if request.method == "GET" and self.has_permission(request):
            return redirect("admin:index")
        shown = {
            **self.each_context(request),
            "title": "Log in",
            "app_path": request.get_full_path(),
            "mail_server": settings.MAIL_SERVER is not None,
            "must_enrol": super().has_permission(request) and what_is_missing(request) is TicketPurpose.ENROLMENT,
        }
        return SignInPage.as_view(extra_context={**shown, **(extra_context or {})})(request)

    @method_decorator(never_cache)
    def second_factor(self, request: HttpRequest) -> Any:
        """Ask for the second factor of who gave the right password."""
        return SecondFactorPage.as_view(extra_context=self.each_context(request))(request)

    @method_decorator(never_cache)
    def enrolment(self, request: HttpRequest) -> Any:
        """Have who gave the right password set up the second factor that the policy demands."""
        return EnrolmentPage.as_view(extra_context=self.each_context(request))(request)

    @hashes_password("POST")
    def reauthenticate(self, request: HttpRequest) -> HttpResponse:
        """Ask for the operator's second factor, or for the password without one, and return to the page in `next`."""
        user, target = cast("User", request.user), request.POST.get("next") or request.GET.get("next", "")
        factors = available_factors(user.pk) if user.second_factors else []
        form = build_form(request, factors)
        if request.method == "POST" and form.is_valid() and reauthenticate(request, form):
            return redirect(safe_next(request, target))
        shown = {
            **self.each_context(request),
            **form_context(form, factors),
            "title": "Confirm that it is you",
            "passkey_options": reverse("account-confirm-options"),
            "next": safe_next(request, target),
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
        if request.method == "POST" and response.status_code == 302 and not cast("User", request.user).second_factors:
            remember_proof(request, Proof.PASSWORD)
        return response

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer 404: no page uses the search of unfold, which would keep its results in the memory of a worker."""
        raise Http404


def what_is_missing(request: HttpRequest) -> TicketPurpose | None:
    """Return what the browser session of this user would have to prove besides what it has proved."""
    proved = Proof(browser_authentication(request).proof)
    return missing_step(cast("User", request.user), proved, current_policy())
