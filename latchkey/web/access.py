"""Access: who may call an endpoint, as its view declares it. The permission class enforces the declaration.

The OpenAPI document and the table in docs/authorization.md show the same declarations, and a test sends every kind of
proof to every endpoint.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from latchkey.core.exceptions import InsufficientScope, InvalidClient, PermissionDenied
from latchkey.web.origin import check_origin


class Caller(StrEnum):
    """Kinds of callers, by what they prove themselves with."""

    PERSON = "person"
    PERSON_KEY = "API key of a person"
    APPLICATION = "application"
    APPLICATION_KEY = "API key of an application"


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call one method of an endpoint.

    callers are the kinds that may; none of them where the endpoint is public, as one is to sign in. scope is what they
    need besides; step_up says that a person needs a recent authentication; client, that an application authenticates
    with its secret or its key pair (RFC 6749 section 2.3). is_optional is for an endpoint that needs no proof; one
    that is sent there has to be valid nevertheless, and of one of the callers. origin says that the request has to come
    from a page of an allowed origin, because a cookie authenticates it (web/origin.py).
    """

    callers: frozenset[Caller] = frozenset()
    scope: str = ""
    step_up: bool = False
    client: bool = False
    is_optional: bool = False
    origin: bool = False

    @property
    def is_public(self) -> bool:
        return not (self.callers or self.client)

    def check(self, principal: Any) -> None:
        """Raise PermissionDenied for a kind of caller that may not, InsufficientScope for one without the scope."""
        if principal.caller not in self.callers:
            raise PermissionDenied
        if self.scope and not principal.has_scope(self.scope):
            raise InsufficientScope(self.scope)


PUBLIC = Access()
CLIENT = Access(client=True)
OPTIONAL_CLIENT = replace(CLIENT, is_optional=True)
BROWSER = Access(origin=True)
PERSON = Access(frozenset({Caller.PERSON}))
PERSON_IN_BROWSER = replace(PERSON, origin=True)
OPTIONAL = replace(PERSON, is_optional=True)
PERSON_STEP_UP = replace(PERSON, step_up=True)
PERSON_OR_KEY = Access(frozenset({Caller.PERSON, Caller.PERSON_KEY}))
ANY_CALLER = Access(frozenset(Caller))


def scoped(scope: str, step_up: bool = False) -> Access:
    """Return the access of all kinds of callers with this scope; a person has it through a role."""
    return Access(frozenset(Caller), scope, step_up)


class DeclaredAccess(BasePermission):
    """Permission class of Django REST Framework that enforces the `access` of the view."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether the request may go on, False without a proof.

        Raises OriginNotAllowed, PermissionDenied, InsufficientScope, or InvalidClient without the credential of an
        application.

        A view without a declaration is for people alone.
        """
        access: Access = view.access_for(request.method or "") if hasattr(view, "access_for") else PERSON
        if access.origin and _has_method(view, request.method or ""):
            check_origin(request.META)
        if access.is_public:
            return True
        if not request.user.is_authenticated:
            if access.client and not access.is_optional:
                raise InvalidClient
            return access.is_optional
        if not access.client and _has_method(view, request.method or ""):
            access.check(request.user.principal)
        return True


def _has_method(view: Any, method: str) -> bool:
    """Return whether the view answers this method; another one is 405, whoever asks."""
    return method == "HEAD" or hasattr(view, method.lower())
