"""Decorator for views of Django that accepts bearer tokens: 401, 403 and 503 with the headers of RFC 6750 and RFC 9470.

    @require(verifier, role="editor")
    def articles(request: ClaimsRequest) -> HttpResponse:
        return JsonResponse({"user": request.claims.subject})

For Django REST Framework use `latchkey_client.rest_framework`.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Unpack

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from latchkey_client.bearer import TokenVerifier, read_token
from latchkey_client.claims import Claims
from latchkey_client.errors import LatchkeyError
from latchkey_client.requirement import Requirement, RequirementOptions


class ClaimsRequest(HttpRequest):
    """Type of the request that a decorated view gets, for annotations. It has the claims of the token."""

    claims: Claims


View = Callable[..., Any]


def require(verifier: TokenVerifier, **requirement: Unpack[RequirementOptions]) -> Callable[[View], View]:
    """Return a decorator that sets `request.claims` to the claims of a valid token; see Requirement for the arguments.

    Without arguments a user has to be signed in. Otherwise the view is not called; the answer is JSON with `detail`.
    Views may be async. They are exempt from CSRF checks, because a browser does not add a bearer token by itself.
    Class-based views take the decorator by `method_decorator(require(verifier), name="dispatch")`.
    """
    needed = Requirement(**requirement)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                claims = verifier.check(read_token(request.headers.get("Authorization")), needed)
            except LatchkeyError as error:
                return _response(error)
            request.claims = claims  # type: ignore[attr-defined]  # an attribute of its own, as middleware has them
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

        @wraps(view)
        async def aguarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                claims = await verifier.acheck(read_token(request.headers.get("Authorization")), needed)
            except LatchkeyError as error:
                return _response(error)
            request.claims = claims  # type: ignore[attr-defined]
            response: HttpResponseBase = await view(request, *args, **kwargs)
            return response

        return csrf_exempt(aguarded if iscoroutinefunction(view) else guarded)

    return decorate


def _response(error: LatchkeyError) -> JsonResponse:
    return JsonResponse({"detail": str(error)}, status=error.status, headers=error.headers)
