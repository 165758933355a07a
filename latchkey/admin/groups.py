"""Staff groups in the admin area: named sets of permissions (Django's groups)."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin

admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ModelAdmin):
    """Django's page of groups, on which only a superuser changes permissions."""

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Make permissions read-only except for a superuser: staff could otherwise raise their own privileges."""
        return () if request.user.is_superuser else ("permissions",)
