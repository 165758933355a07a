"""Serializers of one's own account (/api/me/): the record, its deletion, the export and the security history."""

from typing import Any

from django.contrib.admin.models import LogEntry
from rest_framework import serializers

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.audit.events import PERSISTED
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import UserRole
from latchkey.email_codes.models import OneTimeCode
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.mail.models import Mail
from latchkey.passkeys.models import Passkey
from latchkey.passkeys.serializers import PasskeyOutput
from latchkey.rate_limits.models import Attempt
from latchkey.sessions.models import Session
from latchkey.web.input import PasswordField, StrictCharField


class MeInput(serializers.Serializer[Any]):
    """The display name."""

    username = StrictCharField(max_length=150, allow_blank=True, trim_whitespace=True, help_text="A display name.")


class MeOutput(serializers.ModelSerializer[User]):
    """The account of the access token."""

    class Meta:
        model = User
        fields = ("id", "username", "email")


class EmailStatusOutput(serializers.Serializer[Any]):
    """The e-mail address of the account, and whether it is confirmed."""

    email = serializers.EmailField(read_only=True)
    email_verified = serializers.BooleanField(
        read_only=True,
        source="has_verified_email",
        help_text="Whether the owner has confirmed the address, with a link or a code that was sent to it.",
    )


class TotpOutput(serializers.ModelSerializer[TotpSecret]):
    """An authenticator app, without its secret."""

    class Meta:
        model = TotpSecret
        fields = ("confirmed_at", "last_used_at")


class FactorsOutput(serializers.Serializer[Any]):
    """The second factors of the account, without their secrets."""

    totp = TotpOutput(allow_null=True, read_only=True, help_text="The authenticator app; null without one.")
    passkeys = PasskeyOutput(many=True, read_only=True, help_text="The passkeys, the oldest first.")
    recovery_codes = serializers.IntegerField(read_only=True, help_text="How many recovery codes are left.")


class DeleteAccountInput(serializers.Serializer[Any]):
    """The password, for reauthentication."""

    password = PasswordField()


class ExportedAccount(serializers.ModelSerializer[User]):
    """The account, without the password hash."""

    groups = serializers.SlugRelatedField[Any](slug_field="name", many=True, read_only=True)
    user_permissions = serializers.SlugRelatedField[Any](slug_field="codename", many=True, read_only=True)

    class Meta:
        model = User
        fields = (
            *("id", "email", "email_verified_at", "username", "created_at"),
            *("is_active", "is_staff", "is_superuser", "groups", "user_permissions"),
            *("second_factors", "claims"),
        )


class ExportedRole(serializers.ModelSerializer[UserRole]):
    """A role of the account."""

    name = serializers.CharField(source="role.name")

    class Meta:
        model = UserRole
        fields = ("name", "granted_at")


class ExportedSession(serializers.ModelSerializer[Session]):
    """A session, without its tokens; one that has ended is included until it is pruned."""

    id = serializers.CharField()

    class Meta:
        model = Session
        fields = ("id", "created_at", "rotated_at", "expires_at", "ip", "user_agent", "proof", "authenticated_at")


class ExportedEvent(serializers.ModelSerializer[AuditEvent]):
    """An audit event of the account."""

    id, session_id = serializers.CharField(), serializers.CharField(allow_null=True)

    class Meta:
        model = AuditEvent
        fields = ("id", "at", "name", "session_id", "ip", "user_agent", "detail")


class ExportedMail(serializers.ModelSerializer[Mail]):
    """A mail that was sent, or is to be sent, to the user; without its content."""

    given_up_at = serializers.DateTimeField(source="failed_at", allow_null=True, read_only=True)

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
    """A link and a code that were sent by e-mail, without the secrets."""

    class Meta:
        model = OneTimeCode
        fields = ("purpose", "email", "new_email", "redirect_to", "created_at", "expires_at", "failures")


class ExportedTotp(serializers.ModelSerializer[TotpSecret]):
    """An authenticator app, without its secret; one that was never confirmed is included until it is pruned."""

    class Meta:
        model = TotpSecret
        fields = ("created_at", "confirmed_at", "last_used_at")


class ExportedPasskey(serializers.ModelSerializer[Passkey]):
    """A passkey: what its owner called it, and what the authenticator said about itself."""

    class Meta:
        model = Passkey
        fields = (
            *("name", "rp_id", "aaguid", "transports", "backup_eligible", "backed_up", "user_verified"),
            *("created_at", "last_used_at"),
        )


class ExportedRecoveryCode(serializers.ModelSerializer[RecoveryCode]):
    """A recovery code that was not used yet, by its number in the table."""

    id = serializers.CharField()

    class Meta:
        model = RecoveryCode
        fields = ("id",)


class ExportedTicket(serializers.ModelSerializer[Ticket]):
    """A sign-in that was begun and not finished, without its secrets."""

    class Meta:
        model = Ticket
        fields = ("purpose", "proof", "failures", "created_at", "expires_at")


class ExportedRecovery(serializers.ModelSerializer[FactorRecovery]):
    """A recovery by mail that waits until it is due."""

    class Meta:
        model = FactorRecovery
        fields = ("email", "requested_at", "due_at", "next_notice_at", "code_sent_at", "ip", "user_agent")


class ExportedApiKey(serializers.ModelSerializer[ApiKey]):
    """An API key, without the key; one that has expired is included until it is pruned."""

    class Meta:
        model = ApiKey
        fields = ("key_id", "name", "scopes", "created_at", "expires_at", "last_used_at")


class ExportedAttempt(serializers.ModelSerializer[Attempt]):
    """Failed sign-ins in a row, at the account or from an address where it has signed in; times in milliseconds."""

    class Meta:
        model = Attempt
        fields = ("failures", "last_at", "blocked_until")


class ExportedAction(serializers.ModelSerializer[LogEntry]):
    """A change that the user made in the admin area, without the object, which may be another person."""

    content_type = serializers.SlugRelatedField[Any](slug_field="model", read_only=True)

    class Meta:
        model = LogEntry
        fields = ("action_time", "action_flag", "content_type", "change_message")


class ExportedChange(serializers.ModelSerializer[LogEntry]):
    """A change that was made to the account in the admin area, without the operator, who is another person."""

    class Meta:
        model = LogEntry
        fields = ("action_time", "action_flag", "change_message")


class ExportOutput(serializers.Serializer[Any]):
    """All personal data about the account, except secrets."""

    account = ExportedAccount(help_text="The account, without the password hash.")
    roles = ExportedRole(many=True, help_text="Roles of the account, and since when.")
    sessions = ExportedSession(many=True, help_text="Sessions, without their tokens.")
    events = ExportedEvent(many=True, help_text="The newest 10,000, newest first; /api/me/events/ has all.")
    mails = ExportedMail(many=True, help_text="Mails to the user, without their content.")
    codes = ExportedCode(many=True, help_text="Links and codes that were sent by e-mail, without the secrets.")
    totp = ExportedTotp(many=True, help_text="The authenticator app, without its secret.")
    passkeys = ExportedPasskey(many=True, help_text="Passkeys, without their keys.")
    recovery_codes = ExportedRecoveryCode(many=True, help_text="Recovery codes that are left, without the codes.")
    tickets = ExportedTicket(many=True, help_text="Sign-ins that were begun and not finished.")
    recoveries = ExportedRecovery(many=True, help_text="Recoveries by mail that were requested and not finished.")
    api_keys = ExportedApiKey(many=True, help_text="API keys, without the keys themselves.")
    attempts = ExportedAttempt(many=True, help_text="Failed sign-ins in a row; times in milliseconds.")
    actions = ExportedAction(many=True, help_text="Changes that the user made in the admin area.")
    changes = ExportedChange(many=True, help_text="Changes that operators made to the account in the admin area.")


class AccountEventOutput(serializers.Serializer[Any]):
    """An event of the account's security history."""

    id = serializers.CharField(help_text="A number of up to 19 digits, as a string; later events have higher ones.")
    at = serializers.DateTimeField(help_text="When it happened.")
    event = serializers.CharField(help_text=f"Its name, such as {min(PERSISTED)}; docs/security.md lists all.")
    ip = serializers.IPAddressField(allow_null=True, help_text="The IP address of the client, if known.")
    device = serializers.CharField(allow_blank=True, help_text="A name for people, guessed from the user agent.")
    session_id = serializers.CharField(
        allow_null=True, help_text="The session that the event belongs to, by its id in GET /api/sessions/, if any."
    )
    reason = serializers.CharField(allow_blank=True, help_text="Why a session ended, or a sign-in failed.")


class HistoryOutput(serializers.Serializer[Any]):
    """One page of the account's security history."""

    events = AccountEventOutput(many=True, help_text="Up to 100 events, newest first.")
    next = serializers.URLField(allow_null=True, help_text="The URL of the next page, with older events.")
