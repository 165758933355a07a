"""Serializers of API keys (/api/me/keys/)."""

from typing import Any

from rest_framework import serializers

from latchkey.api_keys.api_key import PATTERN
from latchkey.api_keys.manage import DEFAULT_DAYS, MAX_DAYS
from latchkey.api_keys.models import NAME_LENGTH, ApiKey
from latchkey.authorization.models import NAME_LENGTH as SCOPE_LENGTH
from latchkey.authorization.scopes import parse_scope
from latchkey.web.input import StrictCharField

MAX_SCOPES = 100


class StrictIntegerField(serializers.IntegerField):
    """A whole number of JSON, without conversion of text."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and type(data) is not int:
            self.fail("invalid")
        return super().run_validation(data)


class ScopeField(StrictCharField):
    """The name of a scope, exactly as sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=SCOPE_LENGTH, **kwargs)


class CreateKeyInput(serializers.Serializer[Any]):
    """What a new API key is to be."""

    name = StrictCharField(
        max_length=NAME_LENGTH, trim_whitespace=True, help_text="A name for its owner, of printable characters."
    )
    scopes = serializers.ListField(
        child=ScopeField(),
        required=False,
        default=list,
        max_length=MAX_SCOPES,
        help_text="Scopes that you have; without any the key only says whose it is.",
    )
    expires_in_days = StrictIntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=MAX_DAYS,
        help_text=f"Days until it expires, {DEFAULT_DAYS} if left out. API_KEY_MAX_AGE is the most; null, for never, "
        "where that is 0.",
    )


class KeyOutput(serializers.Serializer[Any]):
    """An API key, without the key itself."""

    id = serializers.CharField(source="key_id", help_text="The characters of the key that follow its kind; no secret.")
    name = serializers.CharField()
    scopes = serializers.SerializerMethodField(help_text="Those it was made with; what counts is what you have, too.")
    created_at = serializers.DateTimeField(help_text="When it was made.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When it expires; null for never.")
    last_used_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was last used, if ever; a minute late at most."
    )

    def get_scopes(self, row: ApiKey) -> list[str]:
        return parse_scope(row.scopes)


class CreatedKeyOutput(KeyOutput):
    """A new API key, with the key itself, which is shown this once."""

    key = serializers.RegexField(PATTERN.pattern, help_text="Keep it as you keep a password. It is not shown again.")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the row of the key, and the key."""
        return {**KeyOutput(instance.row).data, "key": instance.key}
