"""Pages that show and change nothing."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator


class ReadOnlyAdmin(ModelAdmin):
    """A list and a page for each row, for superusers too; what may be done all the same is said by a subclass."""

    show_facets = ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filter by nothing that is not offered: Django lets a query compare any column, digests bit by bit."""
        return lookup in {offered.parameter_name for offered in self.list_filter}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LargeTableAdmin(ReadOnlyAdmin):
    """A list of millions, newest first: nothing counts it, and its columns are no fields that a query could sort by."""

    paginator = InfinitePaginator
    show_full_result_count = False
    list_max_show_all = 0
    ordering = ("-pk",)
