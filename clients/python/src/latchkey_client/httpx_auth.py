"""Authentication class of httpx: each request has an access token of this service, got by client credentials."""

import re
from collections.abc import AsyncGenerator, Generator

import httpx

from latchkey_client.client_credentials import ClientCredentials

_INVALID_TOKEN = re.compile(r"""\bBearer\b.*\berror\s*=\s*"?invalid_token\b""", re.IGNORECASE)


class LatchkeyAuth(httpx.Auth):
    """`httpx.Client(auth=LatchkeyAuth(credentials))`, and the same for `httpx.AsyncClient`.

    A 401 with `invalid_token` (RFC 6750 section 3.1) makes one new token and one retry. Every other 401 is returned,
    because a new token would not change it. A request with a streamed body is not sent again.

    The token goes to whatever the client is asked for, so use the client for the service that the token is for.
    """

    def __init__(self, credentials: ClientCredentials) -> None:
        self._credentials = credentials

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and once more after a 401 `invalid_token`."""
        token = self._credentials.token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if _is_refused(response) and _is_repeatable(request):
            self._credentials.invalidate(token)
            request.headers["Authorization"] = f"Bearer {self._credentials.token()}"
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Do the same without blocking the event loop."""
        token = await self._credentials.atoken()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if _is_refused(response) and _is_repeatable(request):
            self._credentials.invalidate(token)
            request.headers["Authorization"] = f"Bearer {await self._credentials.atoken()}"
            yield request


def _is_refused(response: httpx.Response) -> bool:
    return response.status_code == 401 and bool(_INVALID_TOKEN.search(response.headers.get("WWW-Authenticate", "")))


def _is_repeatable(request: httpx.Request) -> bool:
    """Return whether the body of a request is in memory; a stream has been read."""
    try:
        _ = request.content
    except httpx.RequestNotRead:
        return False
    return True
