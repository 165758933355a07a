"""Serializer fields of links and codes by e-mail."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from latchkey.conf.web_urls import MAX_LENGTH, is_allowed_redirect
from latchkey.web.input import StrictCharField
from latchkey.web.pages import trim_link_token

NOT_ALLOWED = "This URL is not among those that the operator of the service allows."


class RedirectField(StrictCharField):
    """Where the page of the link leads after success: a URL out of the operator's allow-list."""

    def __init__(self, **kwargs: Any) -> None:
        text = "Where the page of the link leads after success; one of the URLs that the operator allows."
        super().__init__(
            **{"max_length": MAX_LENGTH, "required": False, "allow_blank": True, "help_text": text, **kwargs}
        )

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
