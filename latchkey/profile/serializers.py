"""The shapes of leaving on the wire: a password, and all that is held about a person but what is secret.

The shapes of what happened to an account on the wire.
"""

from typing import Any

from django.contrib.admin.models import LogEntry
from rest_framework import serializers

from latchkey.accounts.fields import PasswordField
from latchkey.accounts.models import User
from latchkey.audit.events import PERSISTED
from latchkey.audit.models import AuditEvent
from latchkey.email_codes.models import OneTimeCode
from latchkey.mail.models import Mail
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.web.input import StrictCharField


class MeInput(serializers.Serializer[Any]):
    username = StrictCharField(max_length=150, allow_blank=True, trim_whitespace=True, help_text="A display name.")


class MeOutput(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ("id", "username", "email")


class DeleteAccountInput(serializers.Serializer[Any]):
    password = PasswordField()


class ExportedAccount(serializers.ModelSerializer[User]):
    groups = serializers.SlugRelatedField[Any](slug_field="name", many=True, read_only=True)
    user_permissions = serializers.SlugRelatedField[Any](slug_field="codename", many=True, read_only=True)

    class Meta:
        model = User
        fields = (
            *("id", "email", "email_verified_at", "username", "created_at"),
            *("is_active", "is_staff", "is_superuser", "groups", "user_permissions"),
        )


class ExportedSession(serializers.ModelSerializer[Session]):
    id = serializers.CharField()

    class Meta:
        model = Session
        fields = ("id", "created_at", "rotated_at", "expires_at", "ip", "user_agent")


class ExportedEvent(serializers.ModelSerializer[AuditEvent]):
    id, session_id = serializers.CharField(), serializers.CharField(allow_null=True)

    class Meta:
        model = AuditEvent
        fields = ("id", "at", "name", "session_id", "ip", "user_agent", "detail")


class ExportedMail(serializers.ModelSerializer[Mail]):
    given_up_at = serializers.DateTimeField(source="failed_at")

    class Meta:
        model = Mail
        fields = (
            "kind",
            "to_address",
            "created_at",
            "attempts",
            "next_attempt_at",
            "sent_at",
            "given_up_at",
            "last_error",
        )


class ExportedCode(serializers.ModelSerializer[OneTimeCode]):
    class Meta:
        model = OneTimeCode
        fields = ("purpose", "email", "new_email", "created_at", "expires_at", "failures")


class ExportedAttempt(serializers.ModelSerializer[Attempt]):
    """Failed sign-ins in a row, at the account or from a place where it was signed in to; times in milliseconds."""

    class Meta:
        model = Attempt
        fields = ("failures", "last_at", "blocked_until")


class ExportedAction(serializers.ModelSerializer[LogEntry]):
    """What the person did in the admin area; to whom is not told, for those are others."""

    content_type = serializers.SlugRelatedField[Any](slug_field="model", read_only=True)

    class Meta:
        model = LogEntry
        fields = ("action_time", "action_flag", "content_type", "change_message")


class ExportedChange(serializers.ModelSerializer[LogEntry]):
    """What was done to the account in the admin area; by whom is not told, for those are others."""

    class Meta:
        model = LogEntry
        fields = ("action_time", "action_flag", "change_message")


class ExportOutput(serializers.Serializer[Any]):
    account = ExportedAccount()
    sessions = ExportedSession(many=True)
    events = ExportedEvent(many=True, help_text="The newest 10,000, the newest first; /api/me/events/ has all.")
    mails = ExportedMail(many=True)
    codes = ExportedCode(
        many=True, help_text="What was sent to be clicked or typed, without the links and codes themselves."
    )
    attempts = ExportedAttempt(many=True)
    actions = ExportedAction(many=True)
    changes = ExportedChange(many=True)


class AccountEventOutput(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="A number of up to 19 digits; later events have higher ones.")
    at = serializers.DateTimeField()
    event = serializers.CharField(help_text=f"Such as {min(PERSISTED)}; docs/security.md lists them all.")
    ip = serializers.IPAddressField(allow_null=True)
    device = serializers.CharField(allow_blank=True, help_text="A guess for people.")
    session_id = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_blank=True, help_text="Why a session ended, or a sign-in failed.")


class HistoryOutput(serializers.Serializer[Any]):
    events = AccountEventOutput(many=True, help_text="The newest first.")
    next = serializers.URLField(allow_null=True, help_text="Where older ones are.")
