"""What the OpenAPI document says of the access to an operation, derived from the declaration of the view.

`x-latchkey-access` has the declaration itself: `callers`, and `scope`, `step_up` and `origin` where they apply.
"""

from collections.abc import Sequence
from typing import Any

from latchkey.core import exceptions as errors
from latchkey.web.access import Access, Caller

ANYBODY, CLIENT = "anybody", "client"
"""Names in `callers` beside those of Caller: no proof is needed; an application with its secret or its key pair."""


def access_extension(access: Access) -> dict[str, Any]:
    """Return the value of `x-latchkey-access`, such as {"callers": ["person"], "step_up": True}."""
    anybody = [ANYBODY] if access.is_public or access.is_optional else []
    client = [CLIENT] if access.client else []
    callers = [caller.name.lower() for caller in Caller if caller in access.callers]
    described: dict[str, Any] = {"callers": [*anybody, *client, *callers]}
    if access.scope:
        described["scope"] = access.scope
    if access.step_up:
        described["step_up"] = True
    if access.origin:
        described["origin"] = True
    return described


def access_errors(access: Access) -> list[type[errors.ApiError]]:
    """Return the errors that a request can meet because of the access that the view declares.

    429 is for made-up API keys and wrong client credentials, which are limited (rate_limits/in_memory.py).
    """
    found: list[type[errors.ApiError]] = [errors.OriginNotAllowed] if access.origin else []
    if access.is_public:
        return found
    if access.client:
        return [errors.InvalidClient, errors.TooManyAttempts]
    if not access.is_optional:
        found.append(errors.NotAuthenticated)
    found.append(errors.InvalidToken)
    if access.callers != frozenset(Caller):
        found.append(errors.PermissionDenied)
    if access.scope:
        found.append(errors.InsufficientScope)
    if access.step_up:
        found.append(errors.StepUpRequired)
    return [*found, errors.TooManyAttempts]


def security_requirements(access: Access, required: Sequence[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    """Return the security requirements: those of the authentication classes, none, or either."""
    if access.is_public:
        return [{}]
    return [*required, {}] if access.is_optional else [*required]
