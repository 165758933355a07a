"""Serializers of links and codes by e-mail, and of answers that are the same for every address."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from latchkey.accounts.fields import CanonicalEmailField
from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.conf.web_urls import MAX_LENGTH, is_allowed_redirect
from latchkey.email_codes.one_time_codes import Submitted
from latchkey.web.input import StrictCharField, trim_link_token

ONE_OF = "Send the token of the link, or the e-mail address and the code."


NOT_ALLOWED = "This URL is not among those that the operator of the service allows."
REDIRECT: dict[str, Any] = {
    "max_length": MAX_LENGTH,
    "required": False,
    "allow_blank": True,
    "help_text": "Where the page of the link leads after success; one of the URLs that the operator allows.",
}
"""Options of each RedirectField."""


class RedirectField(StrictCharField):
    """Where the page of the link leads after success: a URL out of the operator's allow-list."""

    def to_internal_value(self, data: Any) -> str:
        """Return the URL; raises ValidationError for one that is not allowed, so that nobody lends out our mails."""
        url = super().to_internal_value(data)
        if url and not is_allowed_redirect(url, settings.REDIRECT_URLS):
            raise serializers.ValidationError(NOT_ALLOWED)
        return url


class LinkTokenField(StrictCharField):
    """The token of a link, without what mail programs append to links."""

    def to_internal_value(self, data: Any) -> str:
        return trim_link_token(super().to_internal_value(data))


class EmailInput(serializers.Serializer[Any]):
    """The e-mail address that a mail is to be sent to, and where its link leads in the end."""

    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, help_text="Any spelling of the address.")
    redirect_to = RedirectField(**REDIRECT)


class EmailedCodeInput(serializers.Serializer[Any]):
    """The token of the link, or the e-mail address and the code."""

    token = LinkTokenField(max_length=64, required=False, help_text="The token of the link; or send email and code.")
    email = CanonicalEmailField(max_length=EMAIL_MAX_LENGTH, required=False, help_text="Any spelling of the address.")
    code = StrictCharField(
        max_length=16, required=False, help_text="The code of the mail; case and hyphen do not matter."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the token, or the pair, and return it as Submitted; raises ValidationError."""
        sent = {name: attrs.pop(name) for name in ("token", "email", "code") if name in attrs}
        if set(sent) not in ({"token"}, {"email", "code"}):
            raise serializers.ValidationError({"token": ONE_OF})
        return {"presented": Submitted(**sent), **attrs}


class DetailOutput(serializers.Serializer[Any]):
    """What happens next, as a sentence for people."""

    detail = serializers.CharField(read_only=True)


class SuccessOutput(serializers.Serializer[Any]):
    """What was done, as a sentence for people."""

    success = serializers.CharField(read_only=True)
