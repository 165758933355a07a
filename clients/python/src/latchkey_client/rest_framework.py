"""Authentication and permission classes of Django REST Framework for bearer tokens (RFC 6750, RFC 9470).

class Authentication(BearerAuthentication):
    verifier = Verifier("https://auth.example.com")

class Articles(APIView):
    authentication_classes = (Authentication,)
    permission_classes = (require(role="editor"),)
"""

import time
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from latchkey_client.bearer import TokenVerifier, read_token
from latchkey_client.claims import Claims
from latchkey_client.errors import LatchkeyError, LatchkeyUnavailable, MissingToken
from latchkey_client.requirement import Requirement, RequirementOptions


@dataclass(frozen=True)
class TokenUser:
    """Value of `request.user`: the owner of a valid token. It is no row of a database.

    `pk` is the claim `sub`, by which throttling and your own rows may know the owner.
    """

    claims: Claims
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False

    @property
    def pk(self) -> str:
        """The user id as text, or the client id of an application."""
        return self.claims.subject

    def __str__(self) -> str:
        return self.pk


class TokenRefused(APIException):
    """A LatchkeyError as an exception of Django REST Framework, which answers with its status and headers."""

    def __init__(self, error: LatchkeyError) -> None:
        super().__init__(str(error), error.code)
        self.status_code = error.status
        if isinstance(error, LatchkeyUnavailable):
            self.wait = error.retry_after  # Retry-After
        else:
            self.auth_header = error.www_authenticate  # WWW-Authenticate


class BearerAuthentication(BaseAuthentication):
    """Base class: set `verifier` in a subclass. `request.user` is a TokenUser, `request.auth` the Claims.

    Without a bearer token the next authentication class is asked.
    """

    verifier: ClassVar[TokenVerifier]

    def authenticate(self, request: Request) -> tuple[TokenUser, Claims] | None:
        """Return the owner of the token and its claims, None without one; raises TokenRefused for an invalid one."""
        try:
            claims = self.verifier.authenticate(read_token(request.headers.get("Authorization")))
        except MissingToken:
            return None
        except LatchkeyError as error:
            raise TokenRefused(error) from error
        return TokenUser(claims), claims

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401 (RFC 6750 section 3)."""
        return MissingToken().www_authenticate


class TokenPermission(BasePermission):
    """Base class of the permissions that `require` returns."""

    requirement: ClassVar[Requirement] = Requirement()

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return whether there is a token that fulfils the requirement; raises TokenRefused for one that does not."""
        if not isinstance(request.auth, Claims):
            return False
        verifier = getattr(request.successful_authenticator, "verifier", None)  # None with force_authenticate in tests
        try:
            self.requirement.check(request.auth, verifier.clock.time() if verifier else time.time())
        except LatchkeyError as error:
            raise TokenRefused(error) from error
        return True


def require(**requirement: Unpack[RequirementOptions]) -> type[TokenPermission]:
    """Return a permission class; see Requirement for the arguments. Without arguments a user has to be signed in."""
    return type("RequiredToken", (TokenPermission,), {"requirement": Requirement(**requirement)})


IsSignedIn = require()
"""Permission class: a user who is signed in; no application and no API key. Name it in DEFAULT_PERMISSION_CLASSES."""
