"""Applications in the admin area: list, page, buttons and deletion. Superusers alone change them.

An application with the scope `users:write` changes users: whoever manages applications can get that scope.
"""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from latchkey.admin.application_actions import ApplicationActions, available_actions, secrets_of
from latchkey.admin.application_forms import ApplicationForm
from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.applications.manage import Change, change_application, create_application, delete_application
from latchkey.applications.models import Application

STATE_COLORS = {"active": "success", "inactive": "danger"}
FIELDS = (
    *("client_id", "name", "kind", "state", "scopes", "resources", "public_keys", "created_at", "tokens_valid_from"),
)


@admin.register(Application)
class ApplicationAdmin(ApplicationActions, ModelAdmin):
    """The list and the page of applications; a page shows when secrets were added, and never one of them."""

    form = ApplicationForm
    list_display = ("client_id", "name", "kind", "state", "scope_names", "created_at")
    list_filter = ("kind", "is_active", "scopes")
    list_per_page = PAGE_SIZE
    show_facets = admin.ShowFacets.NEVER
    empty_hint = (
        "An application is a service of yours that gets access tokens, or asks /api/introspect/ whose token it got. "
        "Add one here, or with 'latchkey applications add CLIENT_ID'."
    )
    search_fields = ("client_id", "name")
    search_help_text = "Search by client id or name."
    readonly_fields = ("client_id", "kind", "state", "created_at", "tokens_valid_from")
    change_form_outer_before_template = "latchkey/application_actions.html"
    change_form_outer_after_template = "latchkey/application_page.html"
    actions = None

    @display(description="state", label=STATE_COLORS, ordering="is_active")  # type: ignore[untyped-decorator]  # unfold ships no types
    def state(self, application: Application) -> str:
        return "active" if application.is_active else "inactive"

    @admin.display(description="scopes")
    def scope_names(self, application: Application) -> str:
        return ", ".join(scope.name for scope in application.scopes.all()) or "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Application]:
        listed: QuerySet[Application] = super().get_queryset(request)
        return listed.prefetch_related("scopes")

    def get_fieldsets(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """Return the fields of the page; those that a new application gets by itself are not on its form."""
        hidden = {"kind", "state", "created_at", "tokens_valid_from"} if obj is None else set()
        return [(None, {"fields": [name for name in FIELDS if name not in hidden]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """Make the client id read-only once there is one: it stands in access tokens as `sub`."""
        return self.readonly_fields if obj else self.readonly_fields[1:]

    def get_urls(self) -> Any:
        return [*self.action_urls(), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the offered filters only."""
        return lookup in ("kind__exact", "is_active__exact", "scopes__id__exact")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        return bool(request.user.is_superuser)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Add the secrets, and for superusers the buttons, to the page."""
        application, shown = self.get_object(request, object_id), extra_context or {}
        if application and self.has_view_permission(request, application):
            secrets = secrets_of(application)
            shown |= {
                "secrets": secrets,
                "newest": secrets[0].pk if secrets else 0,
                "api_keys": application.api_keys.count(),
            }
            if self.has_change_permission(request, application):
                shown |= {"application_actions": available_actions(application, secrets)}
        return super().change_view(request, object_id, form_url, shown)

    def save_model(self, request: HttpRequest, obj: Application, form: Any, change: bool) -> None:
        """Create the application, or change the fields that the operator touched, and no others."""
        if change:
            touched = {name: form.cleaned_data[name] for name in form.changed_data}
            change_application(obj.client_id, _to_change(touched), operator_of(request))
            return
        made = create_application(form.cleaned_data["client_id"], _to_change(form.cleaned_data), operator_of(request))
        obj.pk, obj.client_id = made.pk, made.client_id

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save nothing: `save_model` has saved the scopes, with the event."""

    def delete_model(self, request: HttpRequest, obj: Application) -> None:
        delete_application(obj.client_id, operator_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what the confirmation page lists: secrets and API keys, by their number."""
        listed = [
            f"{application}: secrets {len(secrets_of(application))}, API keys {application.api_keys.count()}"
            for application in objs
        ]
        return listed, {}, set(), []


def _to_change(values: Mapping[str, Any]) -> Change:
    scopes = values.get("scopes")
    return Change(
        name=values.get("name"),
        scopes=None if scopes is None else [scope.name for scope in scopes],
        resources=values.get("resources"),
        public_keys=values.get("public_keys"),
    )
