"""Dependency for FastAPI that accepts bearer tokens: 401, 403 and 503 with the headers of RFC 6750 and RFC 9470.

verifier = Verifier("https://auth.example.com")
SignedIn = Annotated[Claims, Depends(require(verifier))]
Editor = Annotated[Claims, Depends(require(verifier, role="editor"))]
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Unpack

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from latchkey_client.bearer import TokenVerifier, read_token
from latchkey_client.claims import Claims
from latchkey_client.errors import LatchkeyError
from latchkey_client.requirement import Requirement, RequirementOptions

_BEARER = HTTPBearer(auto_error=False)
"""The security scheme in the OpenAPI document. The header is read by `read_token`."""


def require(verifier: TokenVerifier, **requirement: Unpack[RequirementOptions]) -> Callable[..., Awaitable[Claims]]:
    """Return a dependency that returns the claims of a valid token; see Requirement for the arguments.

    Without arguments a user has to be signed in. The dependency raises HTTPException.
    """
    needed = Requirement(**requirement)

    async def authorize(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)] = None
    ) -> Claims:
        try:
            return await verifier.acheck(read_token(request.headers.get("Authorization")), needed)
        except LatchkeyError as error:
            raise HTTPException(error.status, str(error), error.headers) from error

    return authorize
