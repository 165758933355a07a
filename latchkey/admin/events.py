"""Audit log in the admin area: a read-only list of events with search and filters."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import localize
from django.utils.html import format_html
from unfold.views import ChangeList

from latchkey.accounts.models import User
from latchkey.admin.event_search import parse_term
from latchkey.admin.read_only import LargeTableAdmin
from latchkey.admin.user_page import device_label
from latchkey.audit.events import PERSISTED
from latchkey.audit.models import AuditEvent
from latchkey.core import clock

HOURS = {"1": "Last hour", "24": "Last 24 hours", "168": "Last 7 days", "720": "Last 30 days"}


class EventFilter(admin.SimpleListFilter):
    """Filter by the name of the event."""

    title, parameter_name = "event", "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in sorted(PERSISTED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(name=self.value()) if self.value() in PERSISTED else queryset


class SinceFilter(admin.SimpleListFilter):
    """Filter by the age of the event."""

    title, parameter_name = "time", "hours"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*HOURS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        chosen = self.value()
        return queryset.filter(at__gte=clock.now() - timedelta(hours=int(chosen))) if chosen in HOURS else queryset


def emails_of(events: Iterable[AuditEvent]) -> dict[int | None, str]:
    """Return the e-mail addresses of users and operators of these events by id, in one statement; not of deleted."""
    users = {user_id for event in events for user_id in (event.user_id, event.actor_id) if user_id is not None}
    return dict(User.objects.filter(pk__in=users).values_list("pk", "email"))


def link_to(event: AuditEvent, user_id: int | None) -> str:
    """Return a link to a user, the id alone of a deleted one, or a dash for nobody."""
    if user_id is None:
        return "-"
    emails = event.emails if hasattr(event, "emails") else emails_of([event])
    if user_id not in emails:
        return f"{user_id} (deleted)"
    return format_html('<a href="{}">{}</a>', reverse("admin:latchkey_user_change", args=[user_id]), emails[user_id])


class EventList(ChangeList):
    """A page of events with the e-mail addresses of their users.

    A join would also look up the addresses of every page before.
    """

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        events: list[Any] = list(self.result_list)  # type: ignore[has-type]  # unfold ships no types
        emails = emails_of(events)
        for event in events:
            event.emails = emails
        self.result_list = events


@admin.register(AuditEvent)
class EventAdmin(LargeTableAdmin):
    """The audit log: nobody can add, change or delete an event here."""

    list_display = ("when", "what", "who", "by", "device", "address", "why")
    list_filter = (EventFilter, SinceFilter)
    empty_hint = "Sign-ins, changes of passwords and what operators do appear here."
    search_fields = ("name",)  # required for a search box; get_search_results() does the search
    search_help_text = "Search by e-mail address, user id, client id, IP address, event, or day (2026-11-22)."
    fields = ("when", "what", "who", "by", "session_id", "address", "device", "user_agent", "why")
    readonly_fields = fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[EventList]:
        return EventList

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str) -> Any:
        for term in search_term.split():
            queryset = queryset.filter(parse_term(term))
        return queryset, False

    @admin.display(description="time")
    def when(self, event: AuditEvent) -> str:
        return str(localize(event.at))

    @admin.display(description="event")
    def what(self, event: AuditEvent) -> str:
        return event.name

    @admin.display(description="user")
    def who(self, event: AuditEvent) -> str:
        """Link to the user; a deleted user has an id only."""
        return link_to(event, event.user_id)

    @admin.display(description="operator")
    def by(self, event: AuditEvent) -> str:
        """Link to the person, or name the application, that made the change: device and address are theirs."""
        if event.client_id:
            return f"{event.client_id} (application)"
        return link_to(event, event.actor_id)

    @admin.display(description="device")
    def device(self, event: AuditEvent) -> str:
        return device_label(event.user_agent)

    @admin.display(description="IP address")
    def address(self, event: AuditEvent) -> str:
        return event.ip or "-"

    @admin.display(description="reason")
    def why(self, event: AuditEvent) -> str:
        return event.detail or "-"
