"""Roles in the admin area: what they are for, which scopes they carry, and how many users have them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.authorization.models import Role, Scope, UserRole
from latchkey.authorization.roles import change_role, check_description, create_role, delete_role

MAX_COUNTED = 10_000
"""Members that a list counts: a million would take as long as all else on the page."""

MAX_DELETED = 1_000
"""Members of a role that a request deletes; for more there is the command, which works in small transactions."""

TOO_MANY = (
    "More than {:,} users have this role. Run 'latchkey roles remove {}': it works in small batches beside the service."
)


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A role: its name, which never changes, its description and its scopes."""

    scopes = forms.ModelMultipleChoiceField(
        Scope.objects.all(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What people with this role may do over the API for back ends, and give to their API keys. Leave all "
        "of them out for a role that only your own services know.",
    )

    class Meta:
        model = Role
        fields = ("name", "description", "scopes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields:
            scopes: Any = self.fields["scopes"]
            scopes.label_from_instance = lambda scope: f"{scope.name}: {scope.description}"

    def clean_description(self) -> str:
        """Return the description; raises ValidationError with a sentence."""
        description: str = self.cleaned_data["description"]
        try:
            check_description(description)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        return description


@admin.register(Role)
class RoleAdmin(ModelAdmin):
    """The list and the pages of roles. Only a superuser changes them: a role with `users:write` may change all users.

    All changes are those of authorization/roles.py.
    """

    form = RoleForm
    list_display = ("name", "description", "scope_names", "members")
    list_per_page = PAGE_SIZE
    show_full_result_count = False
    search_fields = ("name", "description")
    search_help_text = "Search by name or description."
    ordering = ("name",)
    fields = ("name", "description", "scopes", "member_list", "created_at")
    readonly_fields = ("member_list", "created_at")
    empty_hint = "A role is a name such as editor, which access tokens carry and your services look for."

    @admin.display(description="scopes")
    def scope_names(self, role: Role) -> str:
        return " ".join(scope.name for scope in role.scopes.all()) or "-"

    @admin.display(description="members")
    def members(self, role: Role) -> str:
        counted = count_members(role, MAX_COUNTED)
        return f"{MAX_COUNTED:,} or more" if counted == MAX_COUNTED else f"{counted:,}"

    @admin.display(description="members")
    def member_list(self, role: Role) -> str:
        page = f"{reverse('admin:latchkey_user_changelist')}?role={role.name}"
        return format_html('<a class="member-link" href="{}">{}</a>', page, self.members(role))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        listed: QuerySet[Role] = super().get_queryset(request).prefetch_related("scopes")
        return listed

    def get_fields(self, request: HttpRequest, obj: Role | None = None) -> Any:
        """Leave out what a role has only when it exists."""
        return self.fields if obj else self.fields[:3]

    def get_readonly_fields(self, request: HttpRequest, obj: Role | None = None) -> Any:
        """Make the name of a role read-only: it stands in access tokens, and services compare it."""
        return ("name", *self.readonly_fields) if obj else self.readonly_fields

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow no lookup: a query string could ask for columns of users."""
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Role | None = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        """Create or change the role, with its scopes."""
        scopes = [scope.name for scope in form.cleaned_data["scopes"]]
        if change:
            change_role(obj, obj.description, scopes, operator_of(request))
        else:
            obj.pk = create_role(obj.name, obj.description, scopes, operator_of(request)).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: save_model has stored the scopes."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no action: a role is deleted on its page, which says how many users have it."""
        return {}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask, then delete the role; where too many users have it, name the command that does."""
        role = self.get_object(request, unquote(object_id))
        if role and self.has_delete_permission(request) and count_members(role, MAX_DELETED + 1) > MAX_DELETED:
            self.message_user(request, TOO_MANY.format(MAX_DELETED, role.name), messages.ERROR)
            return redirect("admin:latchkey_role_change", role.pk)
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """Take the role away from all users, and delete it."""
        for _ in delete_role(obj, operator_of(request)):
            pass

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what the confirmation page lists: the role, and how many users lose it, not each of them."""
        listed = [f"{role.name}, which {self.members(role)} users have" for role in objs]
        return listed, {"roles": len(listed)}, set(), []

    def response_add(self, request: HttpRequest, obj: Role, post_url_continue: str | None = None) -> HttpResponse:
        """Return to the list, with a message that names the role."""
        self.message_user(request, f"The role {obj.name} is created.", messages.SUCCESS)
        return redirect("admin:latchkey_role_changelist")


def count_members(role: Role, most: int) -> int:
    """Return how many users have a role, at most `most`: the statement reads no more rows."""
    return UserRole.objects.filter(role=role)[:most].count()
