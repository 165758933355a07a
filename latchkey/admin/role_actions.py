"""Roles and custom claims of users in the admin area: granted and revoked as actions, claims on a page of their own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from latchkey.accounts.models import User
from latchkey.admin.operators import can_modify, operator_of
from latchkey.audit.log import Operator
from latchkey.authorization.custom_claims import parse_claims, set_claims
from latchkey.authorization.models import Role
from latchkey.authorization.roles import BATCH, grant_role, revoke_role
from latchkey.authorization.token_claims import MAX_CLAIMS_LENGTH, roles_of, users_with_role

GRANT, REVOKE = "grant_role", "revoke_role"
"""The actions. One permission allows both, and the change of custom claims: that of the first name."""

MAX_OFFERED = 50
"""Roles in the filter of the list of users; the page of a role links to its members however many roles there are."""

NO_ROLE = "There is no role that you can {} here."


def may_grant(request: HttpRequest, user: User | None = None) -> bool:
    """Return whether the operator may change the roles and the claims of this user, None: of some users."""
    return request.user.has_perm(f"latchkey.{GRANT}") and can_modify(request, user)


def grantable_roles(request: HttpRequest) -> QuerySet[Role]:
    """Return the roles that the operator may grant: one with scopes only as a superuser, who has them all."""
    return Role.objects.all() if request.user.is_superuser else Role.objects.filter(scopes=None)


class RoleForm(forms.Form):
    """The role that is granted or revoked."""

    role = forms.ModelChoiceField(Role.objects.none(), empty_label="Choose a role", widget=UnfoldAdminSelectWidget)

    def __init__(self, offered: QuerySet[Role], *args: Any) -> None:
        super().__init__(*args)
        field: Any = self.fields["role"]
        field.queryset = offered
        field.label_from_instance = describe_role


def describe_role(role: Role) -> str:
    """Return the name of a role with its description."""
    return f"{role.name}: {role.description}" if role.description else role.name


class ClaimsForm(forms.Form):
    """Custom claims as JSON, an empty field for none."""

    claims = forms.CharField(
        label="Custom claims",
        required=False,
        strip=True,
        help_text=f'A JSON object of up to {MAX_CLAIMS_LENGTH:,} bytes, such as {{"department": "sales"}}. Everybody '
        "who holds an access token of this user can read it.",
        widget=UnfoldAdminTextareaWidget(
            {"rows": 10, "cols": 60, "spellcheck": "false", "autocomplete": "off", "autofocus": True}
        ),
    )

    def clean_claims(self) -> dict[str, Any]:
        """Return the claims; raises ValidationError with a sentence."""
        text = self.cleaned_data["claims"]
        try:
            return parse_claims(text) if text else {}
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Authorization:
    """The roles and the custom claims on a user's page; the claims are JSON with line breaks, '' for none."""

    roles: list[Role]
    claims: str
    claims_url: str


def authorization_of(user: User, changeable: bool) -> Authorization:
    """Return what the page shows: one SELECT for who has a role, and one for the scopes of the roles."""
    names = roles_of(user.token_claims)
    roles = list(Role.objects.filter(name__in=names).prefetch_related("scopes")) if names else []
    claims = json.dumps(user.claims, indent=2, ensure_ascii=False) if user.claims else ""
    return Authorization(roles, claims, reverse("admin:latchkey_user_claims", args=[user.pk]) if changeable else "")


class RoleFilter(admin.SimpleListFilter):
    """Users who have a role."""

    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in Role.objects.values_list("name", flat=True)[:MAX_OFFERED]]

    def has_output(self) -> bool:
        """Return True where the address of the page names a role, which may not be among those that are offered."""
        return super().has_output() or self.value() is not None

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User] | None:
        """Return the users who have the chosen role; None for all."""
        name = self.value()
        return queryset.filter(pk__in=users_with_role(name).values("pk")) if name else None


class RoleActions:
    """The actions of the list of users, which the buttons on a user's page submit, too, and the page of claims."""

    message_user: Callable[..., Any]
    get_object: Callable[..., User | None]
    admin_site: Any
    _confirmed: Callable[..., HttpResponse | None]
    _act: Callable[..., HttpResponse | None]

    def has_grant_role_permission(self, request: HttpRequest) -> bool:
        """Return whether the actions are offered; Django finds this method by its name."""
        return may_grant(request)

    @admin.action(description="Grant a role to selected users", permissions=[GRANT])
    def grant_role(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Grant a role, which is chosen on the page that names whom."""
        consequence = "They have it at once here, and in access tokens from their next one on."
        return self._change_role(request, users, grant_role, "Grant a role to", consequence)

    @admin.action(description="Revoke a role of selected users", permissions=[GRANT])
    def revoke_role(self, request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
        """Revoke a role, which is chosen on the page that names whom."""
        consequence = "They lose it at once here. Access tokens that were issued before say it until they expire."
        return self._change_role(request, users, revoke_role, "Revoke a role of", consequence)

    def _change_role(
        self,
        request: HttpRequest,
        users: QuerySet[User],
        change: Callable[[list[int], Role, Operator], int],
        verb: str,
        consequence: str,
    ) -> HttpResponse | None:
        """Ask for the role, then change it for the users whom the operator may change; the others are left out."""
        granting = change is grant_role
        offered = grantable_roles(request) if granting else Role.objects.all()
        one = users[:2]
        if len(one) == 1:
            held = Role.objects.filter(grants__user=one[0]).values("pk")
            offered = offered.exclude(pk__in=held) if granting else offered.filter(pk__in=held)
        if not offered.exists():
            self.message_user(request, NO_ROLE.format("grant" if granting else "revoke"), messages.WARNING)
            return _back_to_user(request, users)
        form = RoleForm(offered, request.POST if request.POST.get("post") == "yes" else None)
        if asked := self._confirmed(request, users, verb, consequence, None, form, "primary" if granting else "danger"):
            return asked
        role: Role = form.cleaned_data["role"]
        done = f"{'Granted' if granting else 'Revoked'} {role.name}"
        try:
            return self._act(request, users, partial(_in_batches, change, role), done)
        except ValueError as refusal:
            self.message_user(request, f"Not everybody was changed. {refusal}", messages.ERROR)
            return _back_to_user(request, users)

    def claims_urls(self) -> list[URLPattern]:
        """Return the route of the page of custom claims."""
        view = self.admin_site.admin_view(self.claims_view)
        return [path("<path:object_id>/claims/", view, name="latchkey_user_claims")]

    def claims_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the custom claims of a user as JSON, or replace them."""
        user = self.get_object(request, unquote(object_id))
        if user is None:
            raise Http404
        if not may_grant(request, user):
            raise PermissionDenied
        back = reverse("admin:latchkey_user_change", args=[user.pk])
        stored = authorization_of(user, changeable=True).claims
        form = ClaimsForm(request.POST if request.method == "POST" else None, initial={"claims": stored})
        if request.method == "POST" and form.is_valid():
            if set_claims(user.pk, form.cleaned_data["claims"], operator_of(request)):
                LogEntry.objects.log_actions(str(request.user.pk), [user], CHANGE, change_message="Changed claims.")
            self.message_user(request, "The custom claims are stored.", messages.SUCCESS)
            return redirect(back)
        shown = {**self.admin_site.each_context(request), "title": "Custom claims", "form": form, "back": back}
        return TemplateResponse(request, "latchkey/user_claims.html", shown | {"original": user})


def _in_batches(
    change: Callable[[list[int], Role, Operator], int], role: Role, user_ids: list[int], operator: Operator
) -> int:
    """Change the role of all users, BATCH of them in a transaction; raises ValueError as the change does."""
    starts = range(0, len(user_ids), BATCH)
    return sum(change(user_ids[start : start + BATCH], role, operator) for start in starts)


def _back_to_user(request: HttpRequest, users: QuerySet[User]) -> HttpResponse | None:
    one = users[:2]
    if "back" in request.POST and len(one) == 1:
        return redirect("admin:latchkey_user_change", one[0].pk)
    return None
