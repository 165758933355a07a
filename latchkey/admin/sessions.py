"""Live sessions, as an operator sees them: who, where and since when, never a token or a digest."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from latchkey.admin.user_page import device_label
from latchkey.core import clock
from latchkey.sessions.logout import end_sessions
from latchkey.sessions.models import Session


@admin.register(Session)
class SessionAdmin(ModelAdmin):
    """Read-only but for one thing: to delete a session is to sign that device out."""

    list_display = ("user", "device", "ip", "created_at", "rotated_at", "expires_at")
    list_select_related = ("user",)
    paginator, show_full_result_count = InfinitePaginator, False  # a million are not counted for a page of a hundred
    search_fields = ("user__email", "ip", "user_agent")
    search_help_text = "By e-mail address, network address or user agent."
    ordering = ("-rotated_at",)
    fields = ("id", "user", "device", "user_agent", "ip", "created_at", "rotated_at", "expires_at")
    readonly_fields = fields

    @admin.display(description="device", ordering="user_agent")
    def device(self, session: Session) -> str:
        return device_label(session.user_agent)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        listed: QuerySet[Session] = super().get_queryset(request)
        return listed & Session.objects.live(clock.now())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Live sessions", **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filter by user alone: Django lets a query compare any column, and so find out selectors bit by bit."""
        return lookup == "user__id__exact"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """Only a superuser signs a superuser out."""
        spared = obj is not None and obj.user.is_superuser and not request.user.is_superuser
        return super().has_delete_permission(request, obj) and not spared

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        end_sessions([obj.pk], "admin")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        end_sessions(list(queryset.values_list("pk", flat=True)), "admin")

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Go back to where the link was: the user's page, or the list."""
        self.message_user(request, "The session has ended.", messages.SUCCESS)
        user = request.GET.get("user", "")
        if user.isascii() and user.isdigit():
            return redirect("admin:latchkey_user_change", user)
        return redirect("admin:latchkey_session_changelist")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Call the one action what it does."""
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            actions["delete_selected"] = (*actions["delete_selected"][:2], "End selected sessions")
        return actions
