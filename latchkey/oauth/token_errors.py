"""Errors of the endpoints below /oauth/ (RFC 6749 section 5.2, RFC 7009 section 2.2.1, RFC 8707 section 2).

They are answered in the form of RFC 6749, not as problem documents, so they are no part of the API's list of errors
(core/exceptions.py). `web/oauth_errors.py` gives that form to every error of these endpoints.
"""

from latchkey.core.api_error import ApiError


class OAuthError(ApiError):
    """Base class: `code` is the value of `error`, and the detail that of `error_description`.

    The detail has no quotation mark, no backslash and ASCII alone (RFC 6749 section 5.2).
    """

    status = 400

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or type(self).detail
        super().__init__()


class InvalidRequest(OAuthError):
    """A parameter that is missing, malformed or sent twice, or two methods of client authentication."""

    code, title = "invalid_request", "Invalid request"
    detail = "A parameter is missing, malformed or sent more than once."


class UnauthorizedClient(OAuthError):
    """An application that gets no tokens: no service, or with an id that could be taken for that of a user."""

    code, title = "unauthorized_client", "Unauthorized client"
    detail = "This application may not use the grant client_credentials."


class UnsupportedGrantType(OAuthError):
    """Any other grant than client_credentials: there is none for passwords (RFC 9700 section 2.4)."""

    code, title = "unsupported_grant_type", "Unsupported grant type"
    detail = "The only grant_type is client_credentials; people sign in at /api/login/."


class InvalidScope(OAuthError):
    """A scope that does not exist, or that the application does not have."""

    code, title = "invalid_scope", "Invalid scope"
    detail = "The application does not have all of these scopes."


class InvalidTarget(OAuthError):
    """A resource that the application does not have (RFC 8707 section 2)."""

    code, title = "invalid_target", "Invalid target"
    detail = "The application may not get tokens for this resource."


class UnsupportedTokenType(OAuthError):
    """A token that cannot be revoked by itself: the access token of an application (RFC 7009 section 2.2.1)."""

    code, title = "unsupported_token_type", "Unsupported token type"
    detail = "The access token of an application ends by itself; an operator can revoke all tokens of an application."
