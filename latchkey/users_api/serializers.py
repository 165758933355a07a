"""Serializers of users in the API for back ends: the user object, a page of users, a new user, changes of a user."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH, User
from latchkey.authorization.models import NAME_LENGTH
from latchkey.authorization.token_claims import roles_of
from latchkey.import_export.password_hashes import MAX_LENGTH as MAX_HASH_LENGTH
from latchkey.import_export.record import MAX_NAME_LENGTH
from latchkey.web.input import PasswordField, StrictCharField

OBJECT = {"type": "object", "additionalProperties": {}}
MAX_ROLES = 100


class UserOutput(serializers.Serializer[User]):
    """A user: the same object wherever the API for back ends answers one."""

    id = serializers.IntegerField(help_text="The number of the account: `sub` of its access tokens.")
    email = serializers.EmailField(help_text="Normalized: lower case, its domain in Unicode.")
    email_verified = serializers.SerializerMethodField(help_text="Whether the address is known to be the user's.")
    username = serializers.CharField(help_text="The display name; empty without one.")
    active = serializers.BooleanField(source="is_active", help_text="Whether the user can sign in.")
    staff = serializers.BooleanField(
        source="is_staff", help_text="Whether the user may open the admin area; such users are changed there alone."
    )
    created_at = serializers.DateTimeField(help_text="When the account was created.")
    roles = serializers.SerializerMethodField(help_text="The names of the user's roles, sorted.")
    claims = serializers.SerializerMethodField(help_text="The custom claims; empty without any.")
    second_factor = serializers.SerializerMethodField(
        help_text="Whether a sign-in asks for a second factor: an authenticator app or a passkey."
    )

    def get_email_verified(self, user: User) -> bool:
        return user.email_verified_at is not None

    def get_roles(self, user: User) -> list[str]:
        return roles_of(user.token_claims)

    @extend_schema_field(OBJECT)
    def get_claims(self, user: User) -> dict[str, Any]:
        return user.claims or {}

    def get_second_factor(self, user: User) -> bool:
        return user.second_factors > 0


USER = {
    "id": 17,
    "email": "user@example.com",
    "email_verified": True,
    "username": "John Smith",
    "active": True,
    "staff": False,
    "created_at": "2026-11-23T08:00:00.000000Z",
    "roles": ["editor"],
    "claims": {"plan": "pro"},
    "second_factor": False,
}
"""A user, as examples in the OpenAPI document show one."""


class UsersOutput(serializers.Serializer[Any]):
    """A page of users."""

    users = UserOutput(many=True, help_text="Users, the newest first.")
    next = serializers.CharField(
        allow_null=True, help_text="The cursor of the next page, to be sent with the same filters; null at the end."
    )


class KnownFieldsSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown fields: a misspelt change must not count as made."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the fields; raises ValidationError, for an unknown one as well."""
        fields = super().to_internal_value(data)
        if unknown := sorted(data.keys() - self.fields.keys()):
            raise serializers.ValidationError({name: ["There is no such field."] for name in unknown})
        return fields


class StrictBooleanField(serializers.BooleanField):
    """A boolean of JSON, without conversion."""

    default_error_messages = {"not_a_boolean": "This must be true or false."}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and not isinstance(data, bool):
            self.fail("not_a_boolean")
        return super().run_validation(data)


@extend_schema_field(OBJECT)
class ObjectField(serializers.DictField):
    """A JSON object of any members."""


class ChangeUserInput(KnownFieldsSerializer):
    """Changes of a user; a field that is left out stays as it is."""

    email = CanonicalEmailField(
        max_length=EMAIL_MAX_LENGTH,
        required=False,
        help_text="In any spelling. A new address is unverified, and the former one gets a mail.",
    )
    email_verified = StrictBooleanField(required=False, help_text="Whether the address is known to be the user's.")
    username = StrictCharField(
        max_length=MAX_NAME_LENGTH, allow_blank=True, required=False, help_text="The display name."
    )
    active = StrictBooleanField(
        required=False, help_text="Whether the user can sign in; false ends all sessions for good."
    )
    roles = serializers.ListField(
        child=StrictCharField(max_length=NAME_LENGTH),
        max_length=MAX_ROLES,
        required=False,
        help_text="The names of all roles that the user has then. You need every scope of a role that you grant.",
    )
    claims = ObjectField(required=False, help_text="All custom claims, at most 1,024 bytes; an empty object for none.")


class CreateUserInput(KnownFieldsSerializer):
    """A new user: an address, and exactly one of password, password_hash and invite."""

    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="In any spelling.")
    username = StrictCharField(
        max_length=MAX_NAME_LENGTH, allow_blank=True, required=False, help_text="The display name."
    )
    roles = serializers.ListField(
        child=StrictCharField(max_length=NAME_LENGTH),
        max_length=MAX_ROLES,
        required=False,
        help_text="The names of the user's roles. You need every scope of them.",
    )
    claims = ObjectField(required=False, help_text="Custom claims, at most 1,024 bytes as JSON.")
    email_verified = StrictBooleanField(
        required=False, help_text="Whether you know that the address is the user's; false by default."
    )
    password = PasswordField(required=False)
    password_hash = StrictCharField(
        max_length=MAX_HASH_LENGTH,
        required=False,
        help_text="A hash from another system, in a form that `latchkey users import` takes.",
    )
    invite = StrictBooleanField(
        required=False, help_text="True sends a mail with a link that sets a password, within 7 days."
    )
