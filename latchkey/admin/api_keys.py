"""API keys in the admin area: whose they are, what they may do and when they were used, never a key or a digest.

Staff with the permissions look at them and revoke them; a superuser creates one for an application. People create their
own.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import localize
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from latchkey.admin.operators import can_modify, operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.api_keys.manage import (
    CreatedKey,
    KeySpec,
    create_application_key,
    default_days,
    may_live_forever,
    revoke_keys,
)
from latchkey.api_keys.models import NAME_LENGTH, ApiKey
from latchkey.applications.models import Application
from latchkey.authorization.models import Scope
from latchkey.core.exceptions import InvalidInput, NotFound


class OwnerFilter(admin.SimpleListFilter):
    """Filter by the kind of the owner: a person or an application."""

    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("person", "people"), ("application", "applications")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        owned = {"person": "user__isnull", "application": "application__isnull"}.get(self.value() or "")
        return queryset.filter(**{owned: False}) if owned else queryset


class ApplicationKeyForm(forms.Form):
    """A new key of an application."""

    application = forms.ModelChoiceField(
        Application.objects.filter(is_active=True), to_field_name="client_id", widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(
        max_length=NAME_LENGTH,
        help_text="By which you know the key in lists.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    scopes = forms.ModelMultipleChoiceField(
        Scope.objects.all(),
        to_field_name="name",
        required=False,
        help_text="Scopes that the application has, too.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    expires_in_days = forms.IntegerField(
        label="Expires in days", required=False, min_value=1, widget=UnfoldAdminIntegerFieldWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hint = "Empty for never." if may_live_forever() else f"Empty for {default_days()} days."
        self.fields["expires_in_days"].help_text = hint

    def create(self, request: HttpRequest) -> CreatedKey | None:
        """Create the key; None, with the errors at their fields, where that is refused."""
        given = self.cleaned_data
        days = given["expires_in_days"] or (None if may_live_forever() else default_days())
        spec = KeySpec(given["name"], [scope.name for scope in given["scopes"]], days)
        try:
            return create_application_key(given["application"].client_id, spec, operator_of(request))
        except InvalidInput as error:
            for field, sentences in error.errors.items():
                self.add_error(field if field in self.fields else None, list(sentences))
        except NotFound:
            self.add_error("application", "The application is gone, or was deactivated.")
        return None


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """A list that is read-only, but staff with `delete_apikey` revoke keys, and superusers create those of services."""

    list_display = ("name", "key_id", "owner", "scopes", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user", "application")
    list_filter = (OwnerFilter,)
    paginator, show_full_result_count = InfinitePaginator, False  # a page does not count a million
    list_per_page = PAGE_SIZE
    empty_hint = "A key appears here when a user creates one, or when you add one of an application."
    search_fields = ("key_id__exact", "name", "user__email", "application__client_id")
    search_help_text = "Search by the id of a key, its name, an e-mail address or a client id."
    ordering = ("-pk",)
    fields = ("name", "key_id", "owner", "scopes", "created_at", "expires_at", "last_used_at")
    readonly_fields = fields

    @admin.display(description="owner")
    def owner(self, key: ApiKey) -> str:
        return str(key.application.client_id if key.application else key.user)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """Leave out the digests."""
        listed: QuerySet[ApiKey] = super().get_queryset(request)
        return listed.defer("digest")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the offered filters only: a query string could find out a digest bit by bit."""
        return lookup in {"user__id__exact", "application__id__exact", OwnerFilter.parameter_name}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Only a superuser revokes a key of other staff."""
        return super().has_delete_permission(request, obj) and can_modify(request, obj.user if obj else None)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the form of a new key of an application, or create it and show it once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"application": request.GET.get("application", ""), "expires_in_days": default_days()}
        form = ApplicationKeyForm(request.POST if request.method == "POST" else None, initial=initial)
        created = form.create(request) if form.is_valid() else None
        if created:
            LogEntry.objects.log_actions(str(request.user.pk), [created.row], ADDITION, single_object=True)
        shown = {
            **self.admin_site.each_context(request),
            "title": "New API key" if created else "Add API key",
            "opts": self.opts,
            "form": form,
            "created": created,
        }
        return TemplateResponse(request, "latchkey/admin_api_key.html", shown)

    def delete_model(self, request: HttpRequest, obj: ApiKey) -> None:
        revoke_keys(ApiKey.objects.filter(pk=obj.pk), operator_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        chosen = list(queryset.values_list("pk", flat=True))
        revoke_keys(ApiKey.objects.filter(pk__in=chosen), operator_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what the confirmation page lists: which keys these are, and whose."""
        _, counts, lacking, protected = super().get_deleted_objects(objs, request)
        named = [f"{key}, of {self.owner(key)}, created on {localize(key.created_at)}" for key in objs]
        return named, counts, lacking, protected

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Rename Django's "delete selected" to what it does here."""
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            actions["delete_selected"] = (*actions["delete_selected"][:2], "Revoke selected API keys")
        return actions
