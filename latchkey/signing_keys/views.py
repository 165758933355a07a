"""What verifiers ask for: our public keys, and where everything is."""

from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import conditional_page

from latchkey.core.exceptions import Unavailable
from latchkey.signing_keys.key_set import current
from latchkey.signing_keys.schedule import CACHED_FOR
from latchkey.tokens.jwk import public_jwk
from latchkey.web.problems import respond
from latchkey.web.views import read_only


@read_only
@conditional_page
def jwks(request: HttpRequest) -> HttpResponse:
    """Answer every key whose tokens are good, and those that sign soon (RFC 7517); none while the secret's own sign."""
    try:
        keys = [public_jwk(held.key) for held in current().values()]
    except DatabaseError:
        return respond(Unavailable())
    return _cacheable({"keys": keys})


@read_only
@conditional_page
def metadata(request: HttpRequest) -> HttpResponse:
    """Answer what is true of us out of RFC 8414 and OpenID Connect Discovery.

    There is neither an authorization endpoint nor a grant, as sign-in is first-party, and lists that would be empty
    are left out (RFC 8414 section 3.2).
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
    max_age = int(CACHED_FOR.total_seconds())
    return JsonResponse(document, headers={"Cache-Control": f"public, max-age={max_age}"})
