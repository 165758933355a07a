"""The headers of an answer on the short way: what the middleware would make of them, made once."""

import io
from functools import lru_cache
from typing import TypeAlias

from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse

from latchkey.web.middleware import all_header_middleware

Headers: TypeAlias = tuple[tuple[str, str], ...]

VARYING = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_FORWARDED_PROTO")
"""All of a request that the headers of its answer depend on."""


@lru_cache(maxsize=256)
def cached_headers(own: Headers, decisive: tuple[str | None, ...]) -> Headers | None:
    """Return what the middleware makes of the endpoint's own headers; None where the host is none of ours."""
    environ = {name: value for name, value in zip(VARYING, decisive, strict=True) if value is not None}
    request = WSGIRequest(environ | {"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()})
    try:
        request.get_host()
    except (DisallowedHost, KeyError):  # without a Host, Django asks for the server's name
        return None
    response: HttpResponse = all_header_middleware(
        lambda request: HttpResponse(content_type="application/json", headers=dict(own))
    )(request)
    del response.headers["Content-Type"], response.headers["Content-Length"]
    return tuple(response.headers.items())
