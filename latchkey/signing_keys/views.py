"""Well-known endpoint for services: the public keys (JWKS, RFC 7517)."""

from typing import Any

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
    return cacheable({"keys": keys})


def cacheable(document: dict[str, Any]) -> JsonResponse:
    """Return a public document that caches may keep for JWKS_MAX_AGE."""
    max_age = int(JWKS_MAX_AGE.total_seconds())
    return JsonResponse(document, headers={"Cache-Control": f"public, max-age={max_age}"})
