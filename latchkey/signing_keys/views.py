"""Well-known endpoints for services: the public keys (JWKS, RFC 7517) and the server metadata (RFC 8414)."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page

from latchkey.core.exceptions import ServiceUnavailable
from latchkey.signing_keys.key_set import current_keys
from latchkey.signing_keys.schedule import JWKS_MAX_AGE
from latchkey.tokens.jwk import public_jwk
from latchkey.web.problems import problem_response
from latchkey.web.views import require_safe


@require_safe
@conditional_page
def jwks(request: HttpRequest) -> HttpResponse:
    """Return the public keys that verify tokens now or soon, as a JWK set (RFC 7517 section 5); empty with HS256."""
    try:
        keys = [public_jwk(scheduled.key) for scheduled in current_keys().values()]
    except DatabaseError:
        return problem_response(ServiceUnavailable())
    return _cacheable({"keys": keys})


@require_safe
@conditional_page
def metadata(request: HttpRequest) -> HttpResponse:
    """Return the authorization server metadata (RFC 8414), also at the path of OpenID Connect Discovery.

    There is no authorization endpoint and no grant, because sign-in is first-party; lists that would be empty are left
    out (RFC 8414 section 3.2).
    """
    url = settings.PUBLIC_URL
    documentation = {"service_documentation": f"{url}/api-doc/"} if settings.API_DOCS else {}
    return _cacheable(
        {
            "issuer": url,
            "jwks_uri": f"{url}/.well-known/jwks.json",
            "introspection_endpoint": f"{url}/api/introspect/",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
            "revocation_endpoint": f"{url}/api/revoke/",
            "revocation_endpoint_auth_methods_supported": ["none"],
            **documentation,
        }
    )


def _cacheable(document: dict[str, Any]) -> JsonResponse:
    max_age = int(JWKS_MAX_AGE.total_seconds())
    return JsonResponse(document, headers={"Cache-Control": f"public, max-age={max_age}"})
