"""Where Django looks for the admin pages, and what it calls those that are not ours."""

from typing import Any

from constance.admin import Config
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from latchkey.accounts.admin import UserAdmin
from latchkey.accounts.sign_in_form import SignInForm
from latchkey.services.admin import ServiceCredentialAdmin
from latchkey.sessions.admin import SessionAdmin

__all__ = ["ServiceCredentialAdmin", "SessionAdmin", "UserAdmin"]

admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Only a superuser hands out privileges, to groups too."""
        return () if request.user.is_superuser else ("permissions",)


admin.site.login_form = SignInForm
admin.site.site_header = admin.site.site_title = "Latchkey"
admin.site.index_title = "Accounts, sessions and settings"
apps.get_app_config("auth").verbose_name = "Staff"
apps.get_app_config("constance").verbose_name = "Settings"
Config._meta.verbose_name_plural = "lifetimes and rules"
