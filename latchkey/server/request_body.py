"""Read a body on the event loop, bounded in size and time (docs/decisions/0005-a-front-before-django.md).

The server hands bodies on as they come, so that as many clients as there are threads could hold them all by stopping
in mid-body. Here the loop waits instead of a thread.
"""

import asyncio
from typing import Any

from django.conf import settings

from latchkey.core.exceptions import BadRequest, ContentTooLarge, ParseError, RequestTimeout

BODY_TIMEOUT = 10  # for the whole body, from the end of the head
CONNECTION_CLOSE = {
    "Connection": "close"
}  # where the next request could pass for a part of this one (RFC 9112 section 6.3)


async def read_body(scope: Any, protocol: Any) -> bytes:
    """Return the body; raise BadRequest, ContentTooLarge, ParseError or RequestTimeout."""
    codings = [coding.lower() for coding in scope.headers.get_all("transfer-encoding")]
    if codings not in ([], ["chunked"]):  # the server drops a Content-Length beside it, and closes after the answer
        raise BadRequest(headers=CONNECTION_CLOSE)  # a proxy in front may have another opinion on where the body ends
    if len(scope.headers.get_all("host")) != 1 or not scope.method.isupper():
        raise BadRequest(
            headers=CONNECTION_CLOSE
        )  # methods are case-sensitive (RFC 9110 section 9.1), and not so in Django
    body, size, ends, length = bytearray(), 0, 0, int(scope.headers.get("content-length", -1))
    if not codings and length < 1:
        return b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            async for part in protocol:
                size += len(part)
                ends += not part  # an empty part ends a body, and a second one says that it broke off
                if size <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                    body += part  # what is too large is read and let go, so that its client hears the refusal
                if size == length:
                    break  # the end itself is not waited for: it would be one more turn of the loop
    except TimeoutError as error:
        raise RequestTimeout(headers=CONNECTION_CLOSE) from error
    if ends > 1:
        raise ParseError(headers=CONNECTION_CLOSE)
    if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        raise ContentTooLarge
    return bytes(body)
