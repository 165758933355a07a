"""Staff groups in the admin area: named sets of permissions (Django's groups)."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.audit.events import Event
from latchkey.audit.log import record_by

admin.site.unregister(Group)


@admin.register(Group)
class StaffGroupAdmin(GroupAdmin, ModelAdmin):
    """Django's page of groups, on which only a superuser changes permissions.

    Each change is an event: a group gives its members privileges.
    """

    list_per_page = PAGE_SIZE
    empty_hint = "A group gives several members of staff the same permissions."

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> Any:
        """Make permissions read-only except for a superuser: staff could otherwise raise their own privileges."""
        return () if request.user.is_superuser else ("permissions",)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the permissions, and record the change of the group."""
        super().save_related(request, form, formsets, change)
        what = ", ".join(form.changed_data) if change else "added"
        if what:
            record_by(operator_of(request), Event.GROUP_CHANGED, detail=f"{form.instance.name}: {what}")

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        """Delete the group, and record that."""
        record_by(operator_of(request), Event.GROUP_CHANGED, detail=f"{obj.name}: deleted")
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        """Delete the selected groups, and record each."""
        for group in queryset:
            record_by(operator_of(request), Event.GROUP_CHANGED, detail=f"{group.name}: deleted")
        super().delete_queryset(request, queryset)
