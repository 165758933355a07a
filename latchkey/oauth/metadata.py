"""Authorization server metadata (RFC 8414), also at the path of OpenID Connect Discovery."""

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import conditional_page

from latchkey.authorization.models import Scope
from latchkey.oauth.client_authentication import METHODS
from latchkey.oauth.token_grant import GRANT_TYPE
from latchkey.signing_keys.views import cacheable
from latchkey.tokens.client_assertion import ALGORITHMS
from latchkey.web.views import require_safe


@require_safe
@conditional_page
def metadata(request: HttpRequest) -> HttpResponse:
    """Return the metadata of this service.

    There is no authorization endpoint, because people sign in at first-party pages; lists that would be empty are left
    out (RFC 8414 section 3.2). Services discover the keys here when they start, so an outage of the database leaves
    out the scopes, and nothing else.
    """
    url = settings.PUBLIC_URL
    methods, algorithms = list(METHODS), list(ALGORITHMS)
    document = {
        "issuer": url,
        "token_endpoint": f"{url}/oauth/token/",
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "grant_types_supported": [GRANT_TYPE],
        **_scopes(),
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "introspection_endpoint": f"{url}/oauth/introspect/",
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint": f"{url}/oauth/revoke/",
        "revocation_endpoint_auth_methods_supported": ["none", *methods],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        **({"service_documentation": f"{url}/api-doc/"} if settings.API_DOCS else {}),
    }
    return cacheable(document)


def _scopes() -> dict[str, list[str]]:
    try:
        names = list(Scope.objects.order_by("name").values_list("name", flat=True))
    except DatabaseError:
        names = []
    return {"scopes_supported": names} if names else {}
