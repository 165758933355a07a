"""Scopes in the admin area: the closed list, which superusers alone change."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from latchkey.admin.application_forms import or_validation_error
from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.api_keys.scope_deletion import delete_scope, find_use
from latchkey.authorization.models import BUILT_IN_SCOPES, Scope
from latchkey.authorization.scope_changes import check_scope_description, check_scope_name, create_scope, describe_scope


class ScopeForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Add a scope, or change its description."""

    class Meta:
        model = Scope
        fields = ("name", "description")

    def clean_name(self) -> str:
        """Return the name; raises ValidationError. The validator of the column looks at the end of the name only."""
        return str(or_validation_error(check_scope_name, self.cleaned_data["name"]))

    def clean_description(self) -> str:
        """Return the description; raises ValidationError."""
        return str(or_validation_error(check_scope_description, self.cleaned_data["description"]))


@admin.register(Scope)
class ScopeAdmin(ModelAdmin):
    """The list and the page of scopes. The name of a scope stands in access tokens and never changes."""

    form = ScopeForm
    list_display = ("name", "description", "application_total", "role_total", "created_at")
    list_per_page = PAGE_SIZE
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("name", "description")
    search_help_text = "Search by name or description."
    empty_hint = "A scope is what an access token or an API key may be used for, such as orders:read."
    actions = None

    @admin.display(description="applications", ordering="application_count")
    def application_total(self, scope: Any) -> int:
        return int(scope.application_count)

    @admin.display(description="roles", ordering="role_count")
    def role_total(self, scope: Any) -> int:
        return int(scope.role_count)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scope]:
        """Count the applications and the roles that have a scope."""
        listed: QuerySet[Scope] = super().get_queryset(request)
        return listed.annotate(
            application_count=Count("applications", distinct=True), role_count=Count("roles", distinct=True)
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Scope | None = None) -> Any:
        return ("name", "created_at") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Scope | None = None) -> Any:
        return ("name", "description", "created_at") if obj else ("name", "description")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Scope | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Scope | None = None) -> bool:
        """The built-in scopes are those of this service's own API, and cannot be deleted."""
        return bool(request.user.is_superuser) and (obj is None or obj.name not in BUILT_IN_SCOPES)

    def save_model(self, request: HttpRequest, obj: Scope, form: Any, change: bool) -> None:
        """Create the scope, or change its description, with an event."""
        if change:
            describe_scope(obj, form.cleaned_data["description"], operator_of(request))
        else:
            obj.pk = create_scope(obj.name, obj.description, operator_of(request)).pk

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask, and delete. A scope that somebody has is deleted only where the operator ticked that it is taken away.

        Where it was given to somebody after the page was opened, nothing is deleted, and a message says so.
        """
        scope = self.get_object(request, object_id)
        use = find_use(scope) if scope and self.has_view_permission(request, scope) else None
        if request.method == "POST" and use and request.POST.get("force") != "yes":
            self.message_user(request, f"Nothing was deleted: {scope} is in use: {use}.", messages.ERROR)
            return redirect(request.path)
        return super().delete_view(request, object_id, {**(extra_context or {}), "use": use})

    def delete_model(self, request: HttpRequest, obj: Scope) -> None:
        delete_scope(obj, operator_of(request), force=request.POST.get("force") == "yes")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return nothing but the scopes: the page says who has them."""
        return [str(scope) for scope in objs], {}, set(), []
