"""Services in the admin area: names and creation times of client credentials, never a secret or a digest."""

from django.contrib import admin

from latchkey.admin.read_only import ReadOnlyAdmin
from latchkey.oauth.models import ClientCredential


@admin.register(ClientCredential)
class ClientCredentialAdmin(ReadOnlyAdmin):
    """A read-only list: `latchkey services` creates and deletes secrets, because a page should not show one."""

    empty_hint = (
        "Create one with 'latchkey services add NAME': it prints the secret once. With it a service asks "
        "/api/introspect/ whose token it got."
    )
    list_display = ("client_id", "created_at")
    search_fields = ("client_id",)
    search_help_text = "Search by the name of the service."
    fields = ("client_id", "created_at")
    readonly_fields = fields
