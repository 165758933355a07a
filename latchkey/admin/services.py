"""The services, as an operator sees them: their names and since when, never a secret or a digest."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from latchkey.services.models import ServiceCredential


@admin.register(ServiceCredential)
class ServiceCredentialAdmin(ModelAdmin):
    """Read-only: `latchkey services` adds and removes, since a page is no place to show a secret."""

    list_display = ("client_id", "created_at")
    search_fields = ("client_id",)
    search_help_text = "By the name of the service."
    fields = ("client_id", "created_at")
    readonly_fields = fields

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Filter by nothing: Django lets a query compare any column, and so find out a digest bit by bit."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ServiceCredential | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ServiceCredential | None = None) -> bool:
        return False
