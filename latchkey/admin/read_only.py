"""Base classes of read-only admin pages, and of lists over large tables."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

PAGE_SIZE = 25
"""Rows of a page: a row is as tall as a hand is wide on a phone."""


class ReadOnlyAdmin(ModelAdmin):
    """A list and a page for each row, read-only for superusers, too; subclasses may allow single actions."""

    show_facets = ShowFacets.NEVER
    list_per_page = PAGE_SIZE
    empty_hint = ""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the offered filters only.

        Django lets a query string compare any column, and so find out a secret digest bit by bit.
        """
        return lookup in {offered.parameter_name for offered in self.list_filter}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class LargeTableAdmin(ReadOnlyAdmin):
    """A list of millions of rows, newest first.

    Nothing counts the rows, and the columns are not model fields, by which a query string could sort.
    """

    paginator = InfinitePaginator
    show_full_result_count = False
    list_max_show_all = 0
    ordering = ("-pk",)
