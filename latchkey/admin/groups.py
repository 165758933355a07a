"""Groups of staff, and what their members may do."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin

admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ModelAdmin):
    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Only a superuser hands out privileges, to groups too."""
        return () if request.user.is_superuser else ("permissions",)
