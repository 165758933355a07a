"""Read request bodies on the event loop, with limits on size and time (docs/decisions/0005).

Granian passes bodies on as they arrive. If threads read them, as many slow clients as there are threads could hold them
all by stopping in the middle of a body (slowloris); here the event loop waits instead of a thread.
"""

import asyncio
from typing import Any

from django.conf import settings

from latchkey.core.exceptions import UNKNOWN_HOST, BadRequest, ContentTooLarge, ParseError, RequestTimeout
from latchkey.web.middleware import HEALTH_CHECK_PATHS, log_unknown_host

BODY_TIMEOUT = 10  # seconds for the whole body, from the end of the headers
CONNECTION_CLOSE = {"Connection": "close"}
"""For errors after which the end of the body is not certain, so that the next request could be read as a part of it
(request smuggling; RFC 9112 section 6.3)."""


async def read_body(scope: Any, protocol: Any) -> bytes:
    """Return the whole body; raises an ApiError with status 400, 408 or 413."""
    codings = [coding.lower() for coding in scope.headers.get_all("transfer-encoding")]
    if codings not in ([], ["chunked"]):  # granian ignores a Content-Length beside it, and closes after the response
        raise BadRequest(headers=CONNECTION_CLOSE)  # a proxy in front may see another end of the body
    if not scope.method.isupper():  # methods are case-sensitive (RFC 9110 section 9.1); Django makes them upper-case
        raise BadRequest(headers=CONNECTION_CLOSE)
    hosts = scope.headers.get_all("host")
    if len(hosts) != 1 and not (not hosts and scope.http_version != "1.1" and scope.path in HEALTH_CHECK_PATHS):
        log_unknown_host(", ".join(hosts))
        raise BadRequest(UNKNOWN_HOST, CONNECTION_CLOSE)
    body, size, ends, length = bytearray(), 0, 0, int(scope.headers.get("content-length", -1))
    if not codings and length < 1:
        return b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for part in protocol:
                size += len(part)
                ends += not part  # an empty part ends the body; a second one means that the client broke off
                if size <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                    body += part  # a larger body is read and dropped, so that the client receives the 413
                if size == length:
                    break  # to wait for the end itself would take one more iteration of the event loop
    except TimeoutError as error:
        raise RequestTimeout(headers=CONNECTION_CLOSE) from error
    if ends > 1:
        raise ParseError(headers=CONNECTION_CLOSE)
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise ContentTooLarge
    return bytes(body)
