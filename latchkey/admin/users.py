"""Users in the admin area: list, page, actions and deletion."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.decorators import display

from latchkey.accounts.models import User
from latchkey.admin.factor_actions import RESET, FactorActions, may_reset
from latchkey.admin.operators import can_modify, operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.admin.role_actions import GRANT, REVOKE, RoleActions, RoleFilter, authorization_of, may_grant
from latchkey.admin.user_actions import ACTIONS, UserActions
from latchkey.admin.user_edits import PRIVILEGES, record_edits
from latchkey.admin.user_factors import SecondFactorFilter, factors_of
from latchkey.admin.user_forms import AddUserForm, ChangePasswordForm, ChangeUserForm
from latchkey.admin.user_page import available_actions, live_session_rows, recent_events
from latchkey.audit.events import Event
from latchkey.audit.log import record_by
from latchkey.authorization.token_claims import roles_of
from latchkey.core.exceptions import LastSuperuser
from latchkey.email_addresses.change import after_admin_change
from latchkey.hashing.queue import hashes_password
from latchkey.profile.erasure import erase

STATE_COLORS = {"active": "success", "inactive": "danger"}


@transaction.atomic
def is_last_administrator(user: User) -> bool:
    """Return whether nobody could administer the service without this user."""
    return User.objects.administrators() == {user.pk}


@admin.register(User)
class UserAdmin(UserActions, FactorActions, RoleActions, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """The list and the page of users.

    Only a superuser changes other staff and privileges. Deletion is that of the API: it leaves the same traces.
    """

    add_form, form, change_password_form = AddUserForm, ChangeUserForm, ChangePasswordForm
    list_display = ("email", "username", "state", "is_verified", "has_second_factor", "is_staff", "created_at")
    list_filter = (
        "is_active",
        ("email_verified_at", admin.EmptyFieldListFilter),
        SecondFactorFilter,
        RoleFilter,
        "is_staff",
        "is_superuser",
        "created_at",
    )
    list_per_page = PAGE_SIZE
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count all users for each value of each filter
    search_fields = ("email", "username")
    search_help_text = "Search by e-mail address or display name."
    ordering = ("-created_at",)
    readonly_fields = ("created_at", "email_verified_at")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "email_verified_at", "username", "password", "is_active", "created_at")}),
        ("Staff rights", {"fields": PRIVILEGES, "classes": ("collapse",)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "username", "password1", "password2")}),)
    actions = (*ACTIONS, RESET, GRANT, REVOKE)
    change_form_outer_before_template = "latchkey/user_actions.html"
    change_form_outer_after_template = "latchkey/user_page.html"

    @display(description="state", label=STATE_COLORS, ordering="is_active")  # type: ignore[untyped-decorator]  # unfold ships no types
    def state(self, user: User) -> str:
        return "active" if user.is_active else "inactive"

    @admin.display(description="e-mail verified", boolean=True, ordering="email_verified_at")
    def is_verified(self, user: User) -> bool:
        return user.email_verified_at is not None

    @admin.display(description="second factor", boolean=True, ordering="second_factors")
    def has_second_factor(self, user: User) -> bool:
        return user.second_factors > 0

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Add sessions, events and actions to the page, each for operators with the permission."""
        user, shown = self.get_object(request, object_id), extra_context or {}
        if user and self.has_view_permission(request, user):
            if request.user.has_perm("latchkey.view_session"):
                shown |= {
                    "sessions": live_session_rows(user),
                    "may_end": request.user.has_perm("latchkey.delete_session"),
                }
            if request.user.has_perm("latchkey.view_auditevent"):
                shown |= {"events": recent_events(user)}
            actions = available_actions(user) if self.has_change_permission(request, user) else {}
            if user.second_factors and may_reset(request, user):
                actions |= {RESET: "Reset second factor"}
            changeable = may_grant(request, user)
            actions |= {GRANT: "Grant a role"} if changeable else {}
            actions |= {REVOKE: "Revoke a role"} if changeable and roles_of(user.token_claims) else {}
            shown |= {"authorization": authorization_of(user, changeable), "factors": factors_of(user)}
            shown |= {"user_actions": actions} if actions else {}
        return super().change_view(request, object_id, form_url, shown)

    def get_urls(self) -> list[Any]:
        """Add the page of custom claims to Django's pages of a user."""
        return [*self.claims_urls(), *super().get_urls()]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show or save the page; where another operator was faster to demote the other superusers, save nothing."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except LastSuperuser as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return redirect(request.get_full_path())

    @hashes_password("POST")
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        return super().add_view(request, form_url, extra_context)

    @hashes_password("POST")
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:  # noqa: A002 - Django's
        """Set the password of another user; one's own is changed on the page that asks for the old one."""
        user = self.get_object(request, unquote(id))
        if user is not None and user.pk == request.user.pk:
            return redirect("admin:password_change")
        return super().user_change_password(request, id, form_url)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out the password button for operators who may not change this user."""
        closed = set() if self.has_change_permission(request, obj) else {"password"}
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in closed]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Make privileges read-only except for a superuser."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser changes other staff: setting their password would give the operator their rights."""
        return super().has_change_permission(request, obj) and can_modify(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody can delete the last superuser; the API refuses that, too."""
        allowed = super().has_delete_permission(request, obj) and can_modify(request, obj)
        return allowed and not (obj and is_last_administrator(obj))

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Erase the user, as when a user deletes the account through the API."""
        erase(obj, operator_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Erase the selected users, or none of them: raises PermissionDenied if the last superuser is among them."""
        try:
            with transaction.atomic():
                for user in queryset:
                    erase(user, operator_of(request))
        except LastSuperuser as refusal:  # each of them can be deleted alone, but not all together
            raise PermissionDenied from refusal

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save the fields that the operator changed, and no others; a changed address is reported to the old one."""
        if not change:
            super().save_model(request, obj, form, change)
            record_by(operator_of(request), Event.USER_REGISTERED, user_id=obj.pk)
            return
        columns = {field.name for field in User._meta.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data))
        if "email" in form.changed_data and obj.email != form.initial["email"]:
            after_admin_change(obj, form.initial["email"], operator_of(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save groups and permissions, and record what the operator changed."""
        super().save_related(request, form, formsets, change)
        if change:
            record_edits(form, operator_of(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> User | None:
        """Return the user, with the operator who may be about to change the account."""
        user = super().get_object(request, object_id, from_field)
        if user is not None:
            user.operator = operator_of(request)
        return user
