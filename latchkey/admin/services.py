"""The services, as an operator sees them: their names and since when, never a secret or a digest."""

from django.contrib import admin

from latchkey.admin.read_only import ReadOnlyAdmin
from latchkey.oauth.models import ClientCredential


@admin.register(ClientCredential)
class ClientCredentialAdmin(ReadOnlyAdmin):
    """Read-only: `latchkey services` adds and removes, since a page is no place to show a secret."""

    list_display = ("client_id", "created_at")
    search_fields = ("client_id",)
    search_help_text = "By the name of the service."
    fields = ("client_id", "created_at")
    readonly_fields = fields
