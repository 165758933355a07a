"""Buttons on an application's page in the admin area: new secret, remove the older one, deactivate, revoke tokens.

A secret is in the answer to the button alone: never in a message, a URL, a browser session or the log. The page is not
stored (Cache-Control: no-store).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from latchkey.admin.operators import operator_of
from latchkey.applications.manage import deactivate_application, lock_application, reactivate_application, revoke_tokens
from latchkey.applications.models import Application, ClientCredential
from latchkey.applications.secrets import MAX_SECRETS, add_secret, remove_secrets
from latchkey.audit.log import Operator

NEW_SECRET = "new-secret"  # noqa: S105 - the name of a button
ADDED_MEANWHILE = (
    "No secret was added: the secrets have changed since this page was opened. If you sent the form twice and have not "
    "kept the secret, remove it, or add another one."
)


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its label, what is asked before, what it does, and the sentence after that."""

    label: str
    question: str
    act: Callable[[str, Operator], object]
    done: str


def _remove_older(client_id: str, operator: Operator) -> object:
    return remove_secrets(client_id, operator, older=True)


ACTIONS = {
    "remove-older-secret": Action(
        "Remove older secret",
        "The older secret is refused at once. Access tokens that it was used for stay valid until they expire.",
        _remove_older,
        "Removed the older secret.",
    ),
    "revoke-tokens": Action(
        "Revoke tokens",
        "All access tokens that it has are refused at once. It may get new ones.",
        revoke_tokens,
        "Revoked its access tokens.",
    ),
    "deactivate": Action(
        "Deactivate",
        "Its secrets, keys and access tokens are refused at once, until it is reactivated.",
        deactivate_application,
        "Deactivated the application.",
    ),
    "reactivate": Action("Reactivate", "", reactivate_application, "Reactivated the application."),
}


def available_actions(application: Application, secrets: list[ClientCredential]) -> dict[str, str]:
    """Return the buttons that apply to an application, with their labels."""
    offered = {NEW_SECRET: "New secret"} if len(secrets) < MAX_SECRETS else {}
    names = ["remove-older-secret"] if len(secrets) > 1 else []
    names += ["revoke-tokens", "deactivate"] if application.is_active else ["reactivate"]
    return offered | {name: ACTIONS[name].label for name in names}


def secrets_of(application: Application) -> list[ClientCredential]:
    """Return the secrets of an application, the newest first, without their digests."""
    found = ClientCredential.objects.filter(client_id=application.client_id)
    return list(found.defer("digest").order_by("-pk"))


class ApplicationActions:
    """The route of the buttons."""

    message_user: Callable[..., Any]
    log_change: Callable[..., Any]
    has_change_permission: Callable[..., bool]
    admin_site: Any

    def action_urls(self) -> list[URLPattern]:
        """Return the route of all buttons."""
        view = self.admin_site.admin_view(self.action_view)
        return [path("<int:pk>/action/<slug:name>/", view, name="latchkey_application_action")]

    def action_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Do what a button says, after a question where it cannot be undone; anything but POST leads to the page."""
        application = Application.objects.filter(pk=pk).first()
        if application is None or name not in {NEW_SECRET, *ACTIONS}:
            raise Http404
        if not self.has_change_permission(request, application):
            raise PermissionDenied
        page = reverse("admin:latchkey_application_change", args=[pk])
        if request.method != "POST":
            return redirect(page)
        if name == NEW_SECRET:
            return self._add_secret(request, application, page)
        action = ACTIONS[name]
        if action.question and request.POST.get("post") != "yes":
            shown = {
                **self.admin_site.each_context(request),
                "title": action.label,
                "question": f"{action.label}: {application}?",
                "consequence": action.question,
                "back": page,
            }
            return TemplateResponse(request, "latchkey/confirm_application_action.html", shown)
        if action.act(application.client_id, operator_of(request)) is not False:
            self.log_change(request, application, action.done)
        self.message_user(request, action.done)
        return redirect(page)

    def _add_secret(self, request: HttpRequest, application: Application, page: str) -> HttpResponse:
        """Show a new secret; a form that was sent twice adds one, and not two."""
        with transaction.atomic():
            lock_application(application.client_id)
            secrets = secrets_of(application)
            if str(secrets[0].pk if secrets else 0) != request.POST.get("newest"):
                self.message_user(request, ADDED_MEANWHILE, messages.WARNING)
                return redirect(page)
            secret = add_secret(application.client_id, operator_of(request))
            if secret is None:
                self.message_user(request, "It has two secrets already: remove the older one first.", messages.ERROR)
                return redirect(page)
            self.log_change(request, application, "Added a secret.")
        shown = {
            **self.admin_site.each_context(request),
            "title": "New secret",
            "application": application,
            "secret": secret,
            "others": len(secrets),
            "back": page,
        }
        return TemplateResponse(request, "latchkey/new_secret.html", shown)
