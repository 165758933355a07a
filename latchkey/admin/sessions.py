"""Active sessions in the admin area: user, device, IP address and times, never a token or a digest."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import localize
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from latchkey.admin.operators import operator_of
from latchkey.admin.read_only import PAGE_SIZE
from latchkey.admin.user_page import device_label
from latchkey.core import clock
from latchkey.sessions.logout import end_sessions
from latchkey.sessions.models import Session
from latchkey.tokens.authentication_methods import Proof, acr, amr


@admin.register(Session)
class SessionAdmin(ModelAdmin):
    """A list that is read-only, but staff with `delete_session` can end a session, which signs the device out."""

    list_display = ("user", "device", "address", "created_at", "rotated_at", "expires_at")
    list_select_related = ("user",)
    paginator, show_full_result_count = InfinitePaginator, False  # a page does not count a million
    list_per_page = PAGE_SIZE
    empty_hint = "A session appears here when a user signs in through the API."
    search_fields = ("user__email", "ip", "user_agent")
    search_help_text = "Search by e-mail address, IP address or user agent."
    ordering = ("-rotated_at",)
    fields = (
        *("id", "user", "device", "user_agent", "ip", "created_at", "rotated_at", "expires_at"),
        *("methods", "authenticated_at"),
    )
    readonly_fields = fields

    @admin.display(description="device", ordering="user_agent")
    def device(self, session: Session) -> str:
        return device_label(session.user_agent)

    @admin.display(description="authentication methods")
    def methods(self, session: Session) -> str:
        proof = Proof(session.proof)
        return f"{', '.join(amr(proof))} ({acr(proof)})"

    @admin.display(description="IP address", ordering="ip")
    def address(self, session: Session) -> str:
        return session.ip or "-"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        listed: QuerySet[Session] = super().get_queryset(request)
        return listed & Session.objects.live(clock.now())

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Active sessions", **(extra_context or {})})

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the filter by user only.

        Django lets a query string compare any column, and so find out a selector bit by bit.
        """
        return lookup == "user__id__exact"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """Only a superuser can end the session of a superuser."""
        spared = obj is not None and obj.user.is_superuser and not request.user.is_superuser
        return super().has_delete_permission(request, obj) and not spared

    def delete_model(self, request: HttpRequest, obj: Session) -> None:
        end_sessions([obj.pk], "admin", operator_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        end_sessions(list(queryset.values_list("pk", flat=True)), "admin", operator_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what the confirmation page lists: whose sessions these are, on which device and from where."""
        _, counts, lacking, protected = super().get_deleted_objects(objs, request)
        return (
            [
                f"{session.user}: {self.device(session)}, {self.address(session)}, since {localize(session.created_at)}"
                for session in objs
            ],
            counts,
            lacking,
            protected,
        )

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Return to the page with the link: the user, or the list."""
        self.message_user(request, "The session has ended.", messages.SUCCESS)
        user = request.GET.get("user", "")
        if user.isascii() and user.isdigit():
            return redirect("admin:latchkey_user_change", user)
        return redirect("admin:latchkey_session_changelist")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Rename Django's "delete selected" to what it does here."""
        actions: dict[str, Any] = super().get_actions(request)
        if "delete_selected" in actions:
            actions["delete_selected"] = (*actions["delete_selected"][:2], "End selected sessions")
        return actions
