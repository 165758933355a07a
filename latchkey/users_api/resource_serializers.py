"""Serializers of what belongs to one user in the API for back ends: roles, sessions, events, and why factors go."""

from typing import Any

from rest_framework import serializers

from latchkey.audit.events import DETAIL_LENGTH
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role
from latchkey.core.user_agent import device_name
from latchkey.profile.serializers import AccountEventOutput
from latchkey.user_sessions.serializers import SessionOutput
from latchkey.web.input import StrictCharField


class RoleOutput(serializers.Serializer[Any]):
    """A role, and the scopes that people with it have."""

    name = serializers.CharField(help_text="As it stands in the claim `roles` of access tokens.")
    description = serializers.CharField(help_text="For people; may be empty.")
    scopes = serializers.SerializerMethodField(help_text="The scopes that people with this role have, sorted.")

    def get_scopes(self, role: Role) -> list[str]:
        return sorted(scope.name for scope in role.scopes.all())


class UserSessionOutput(SessionOutput):
    """A session of a user: one signed-in device."""

    current = None  # type: ignore[assignment]  # a session of somebody else is none that makes a request


class ResetFactorsInput(serializers.Serializer[Any]):
    """Why the second factors are removed."""

    reason = StrictCharField(
        max_length=DETAIL_LENGTH,
        help_text="For the audit log: how you know that it is this person. No names and no e-mail addresses.",
    )


class UserEventOutput(AccountEventOutput):
    """An event of a user, and who caused it: address and device are those of whoever did."""

    event = serializers.CharField(source="name", help_text="Its name; docs/security.md lists all.")
    device = serializers.SerializerMethodField(  # type: ignore[assignment]  # it was text before
        help_text="A name for people, guessed from the user agent."
    )
    reason = serializers.CharField(source="detail", help_text="Why it happened, or what it was about; may be empty.")
    actor_id = serializers.IntegerField(
        allow_null=True, help_text="The id of the person who caused it, if that is somebody else: an operator."
    )
    client_id = serializers.CharField(help_text="The client id of the application that caused it; empty without one.")

    def get_device(self, event: AuditEvent) -> str:
        return device_name(event.user_agent) if event.user_agent else ""


class UserEventsOutput(serializers.Serializer[Any]):
    """One page of the events of a user."""

    events = UserEventOutput(many=True, help_text="Up to 100 events, newest first.")
    next = serializers.CharField(
        allow_null=True, help_text="Send it as `before` for the next page, with older events; null at the end."
    )
