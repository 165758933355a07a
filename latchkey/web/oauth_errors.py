"""Errors in the form of RFC 6749 section 5.2, which clients of OAuth read, for the endpoints below /oauth/.

It depends on the path alone, because an error can arise before there is a view: a body that is too large, or a host
that is unknown.
"""

import re
from typing import Any

from latchkey.core.api_error import ApiError

CONTENT_TYPE = "application/json"
ENDPOINTS = frozenset(f"/oauth/{name}{slash}" for name in ("token", "introspect", "revoke") for slash in ("", "/"))
"""Paths of the endpoints whose clients are libraries for OAuth."""

CODES = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "unsupported_token_type",
        "server_error",
    }
)
"""Codes that are the same here as elsewhere, or exist only here."""

_TEMPORARY = frozenset({"too_many_attempts", "unavailable"})
_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""Characters that error_description must not have (RFC 6749 section 5.2)."""


def oauth_error(error: ApiError) -> dict[str, Any]:
    """Return `error` and `error_description` of an error; what is wrong with the request itself is invalid_request."""
    code = error.code if error.code in CODES else "temporarily_unavailable" if error.code in _TEMPORARY else ""
    return {"error": code or "invalid_request", "error_description": _NOT_ALLOWED.sub(" ", _describe(error))}


def _describe(error: ApiError) -> str:
    """Return one text for the error: its detail, or the sentences about its fields."""
    by_field = {field: sentences for field, sentences in error.errors.items() if field != "body"}
    if error.status != 400 or not by_field:
        return " ".join(error.errors.get("body", [error.detail])) if error.status == 400 else error.detail
    return " ".join(f"{field}: {sentence}" for field, sentences in by_field.items() for sentence in sentences)
