"""Settings of Django REST Framework, drf-spectacular and corsheaders; `settings.py` imports them."""

from typing import Any


def rest_framework_settings(browsable: bool) -> dict[str, Any]:
    """Return REST_FRAMEWORK: authentication required unless a view opts out, JSON in, JSON or browsable pages out."""
    pages = ["latchkey.web.browsable.BrowsableRenderer"] if browsable else []
    return {
        "DEFAULT_AUTHENTICATION_CLASSES": ["latchkey.bearer_tokens.authentication.BearerAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["latchkey.web.access.DeclaredAccess"],
        "DEFAULT_PARSER_CLASSES": ["latchkey.web.input.StrictJSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer", *pages],
        "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
        "EXCEPTION_HANDLER": "latchkey.web.problems.handle_exception",
        "COMPACT_JSON": False,  # the wire contract has a space after each colon and comma
        "URL_FORMAT_OVERRIDE": None,  # ?format= would be a second Accept header
    }


CORS_REQUEST_HEADERS = ["baggage", "idempotency-key", "sentry-trace", "traceparent", "tracestate", "x-request-id"]
"""Headers that scripts of allowed origins may send beside the usual ones: tracing adds them to every request of a page,
and a browser refuses the whole request where a preflight does not allow one."""

CORS_RESPONSE_HEADERS = ["Retry-After", "WWW-Authenticate", "X-Request-ID"]
"""Headers of errors that scripts of allowed origins may read (Fetch standard, Access-Control-Expose-Headers)."""


def spectacular_settings(public_path: str) -> dict[str, Any]:
    """Return SPECTACULAR_SETTINGS; behind a path of a host the document names that path as its server."""
    return SPECTACULAR_SETTINGS | ({"SERVERS": [{"url": public_path}]} if public_path else {})


OPERATION_TAGS = {
    "public_config": "Configuration",
    "registration": "Registration and sign-in",
    "sign_in": "Registration and sign-in",
    "sessions": "Registration and sign-in",
    "browser_sessions": "Browser sessions",
    "factors": "Second factors",
    "passkeys": "Second factors",
    "factor_recovery": "Second factors",
    "profile": "Your own account",
    "user_sessions": "Sessions",
    "passwords": "Passwords",
    "email_addresses": "E-mail addresses",
    "oauth": "Token validation for your own APIs",
    "api_keys": "API keys",
    "users_api": "Users, for back ends",
}
"""Tags of the operations by the package of their view, in the order in which Swagger UI and docs/api.md show them."""

SPECTACULAR_SETTINGS = {
    "TITLE": "Latchkey",
    "DESCRIPTION": "Registration, sign-in, short access tokens, rotating refresh tokens, sign-out, one's own record.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "tryItOutEnabled": True,
        "persistAuthorization": False,
        "queryConfigEnabled": False,
        "defaultModelsExpandDepth": -1,
    },
    "SORT_OPERATIONS": False,
    "TAGS": [{"name": tag} for tag in dict.fromkeys(OPERATION_TAGS.values())],
    "PREPROCESSING_HOOKS": ["latchkey.web.openapi.operation.canonical_paths"],
}
