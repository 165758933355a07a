"""Users, as an operator sees them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from latchkey.accounts.models import User
from latchkey.accounts.standing import deactivate, lift_waits, reactivate, sign_out_everywhere
from latchkey.admin.user_forms import AddUserForm, ChangePasswordForm, ChangeUserForm

PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    add_form, form, change_password_form = AddUserForm, ChangeUserForm, ChangePasswordForm
    list_display = ("email", "username", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "created_at")
    search_fields = ("email", "username")
    search_help_text = "By e-mail address or user name."
    ordering = ("-created_at",)
    readonly_fields = ("created_at", "live_sessions")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "username", "password", "created_at", "live_sessions")}),
        ("Standing", {"fields": ("is_active", *PRIVILEGES)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "username", "password1", "password2")}),)
    actions = ("deactivate_users", "reactivate_users", "end_sessions", "lift_waits_of")

    @admin.display(description="sessions")
    def live_sessions(self, user: User) -> str:
        """Lead to the user's sessions."""
        return format_html(
            '<a href="{}?user__id__exact={}">Live sessions</a>', reverse("admin:latchkey_session_changelist"), user.pk
        )

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out what would only lead to a refusal: the password's button, and the sessions."""
        closed = set()
        if not self.has_change_permission(request, obj):
            closed.add("password")
        if not request.user.has_perm("latchkey.view_session"):
            closed.add("live_sessions")
        return [
            (title, {"fields": [name for name in options["fields"] if name not in closed]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser hands out privileges."""
        fixed = super().get_readonly_fields(request, obj)
        return fixed if request.user.is_superuser else (*fixed, *PRIVILEGES)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser touches a superuser."""
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may_touch(request, obj)

    @staticmethod
    def _may_touch(request: HttpRequest, obj: User | None) -> bool:
        return obj is None or bool(request.user.is_superuser) or not obj.is_superuser

    @admin.action(description="Deactivate selected users and end their sessions", permissions=["change"])
    def deactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Deactivate, sparing whoever asks: nobody locks themselves out by selecting all."""
        self._act(request, users, deactivate, "Deactivated", spared=request.user.pk)

    @admin.action(description="Reactivate selected users", permissions=["change"])
    def reactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._act(request, users, reactivate, "Reactivated")

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._act(request, users, sign_out_everywhere, "Ended all sessions")

    @admin.action(description="Let selected users try again at once after failed sign-ins", permissions=["change"])
    def lift_waits_of(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self._act(request, users, lift_waits, "Lifted waits")

    def _act(
        self,
        request: HttpRequest,
        users: QuerySet[User],
        verb: Callable[[list[int]], int],
        done: str,
        spared: int | None = None,
    ) -> None:
        """Do it to those whom the caller may touch, say to how many, and write it into their history."""
        touched = [user for user in users if self._may_touch(request, user) and user.pk != spared]
        verb([user.pk for user in touched])
        LogEntry.objects.log_actions(str(request.user.pk), touched, CHANGE, change_message=f"{done}.")
        self.message_user(request, f"{done}: {len(touched)} of {len(users)} selected.")
