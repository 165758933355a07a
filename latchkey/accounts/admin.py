"""Users, as an operator sees them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest

from latchkey.accounts.email import canonical
from latchkey.accounts.models import User
from latchkey.accounts.standing import deactivate, reactivate, sign_out_everywhere

PRIVILEGES = ("is_staff", "is_superuser", "groups", "user_permissions")


class AddUserForm(AdminUserCreationForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = User
        fields = ("email", "username")

    def clean_email(self) -> str:
        """Canonicalise before Django looks for a user of the same address."""
        try:
            return canonical(self.cleaned_data["email"])
        except ValueError:
            email: str = self.cleaned_data["email"]
            return email  # the model's own check says why it is refused


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # not generic at run time
    add_form = AddUserForm
    list_display = ("email", "username", "is_active", "is_staff", "created_at")
    list_filter = ("is_active", "is_staff", "is_superuser", "created_at")
    search_fields = ("email", "username")
    ordering = ("-created_at",)
    readonly_fields = ("created_at",)
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "username", "password", "created_at")}),
        ("Standing", {"fields": ("is_active", *PRIVILEGES)}),
    )
    add_fieldsets = ((None, {"fields": ("email", "username", "usable_password", "password1", "password2")}),)
    actions = ("deactivate_users", "reactivate_users", "end_sessions")

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
        self.message_user(request, f"{deactivate(self._ids(request, users))} users deactivated.")

    @admin.action(description="Reactivate selected users", permissions=["change"])
    def reactivate_users(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self.message_user(request, f"{reactivate(self._ids(request, users))} users reactivated.")

    @admin.action(description="End all sessions of selected users", permissions=["change"])
    def end_sessions(self, request: HttpRequest, users: QuerySet[User]) -> None:
        self.message_user(request, f"All sessions of {sign_out_everywhere(self._ids(request, users))} users ended.")

    @staticmethod
    def _ids(request: HttpRequest, users: QuerySet[User]) -> list[int]:
        allowed = users if request.user.is_superuser else users.filter(is_superuser=False)
        return list(allowed.values_list("pk", flat=True))
