"""Fast path: answer login, refresh, me and verify without Django's request cycle, which costs more than they do.

A fast handler takes the request that is exactly as documented. All other requests go to the view of the same endpoint
on Django REST Framework, which renders pages and knows every error. Both give the same bytes and headers
(docs/decisions/0008-fast-path.md, tests/web/test_fast_path.py).
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, NamedTuple, NoReturn, TypeAlias

from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError
from django.http import HttpResponse

from latchkey.core.exceptions import ApiError, InternalServerError
from latchkey.db.async_connection import ConnectionLost
from latchkey.db.async_pool import AsyncPool
from latchkey.db.statements import Query
from latchkey.telemetry.request_log import request_log
from latchkey.web.input import is_json_utf8, parse_json_object
from latchkey.web.middleware import all_header_middleware, log_unhandled_exception
from latchkey.web.problems import CONTENT_TYPE, problem_document, to_api_error

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


Environ: TypeAlias = dict[str, Any]
Rows: TypeAlias = list[tuple[Any, ...]]
ResponseTuple: TypeAlias = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers and body."""

MAX_BODY_BYTES = 1024
"""Bytes of a body that is looked at here; longer ones go the long way."""


class NoContent(NamedTuple):
    """An answer with status 204: what there is to say stands in its headers."""

    headers: dict[str, str]


Body: TypeAlias = dict[str, Any] | NoContent
"""The body of an answer, or that there is none."""


class AsyncSteps(NamedTuple):
    """An act around one statement, for the event loop, which does not wait for it as a thread does.

    `begin` returns what `end` needs and the statement, or None where it may take long and a thread has to begin.
    `end` takes the rows, and returns or raises what `act` does. Where there are none it may take long too.
    """

    prepare: Callable[[Any], tuple[Any, Query] | None]
    finish: Callable[[Any, Rows, Environ], Body]


class FastHandler(NamedTuple):
    """Two functions and the headers that the endpoint adds to every answer of its own.

    `read` finds in a request what `act` needs, or returns None for the long way; it has no effects.
    `act` returns the body of the answer, or raises what any verb raises.
    """

    parse: Callable[[Environ], Any]
    handle: Callable[[Any, Environ], Body]
    headers: Headers
    negotiated: bool = True  # whether Accept has a say in the answer
    async_steps: AsyncSteps | None = None


def read_json_object(environ: Environ) -> dict[str, Any]:
    """Return the JSON object that was sent, or nothing where the body is to be judged on the long way."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if (
        not is_json_utf8(environ.get("CONTENT_TYPE", ""))
        or "HTTP_CONTENT_ENCODING" in environ
        or length > MAX_BODY_BYTES
    ):
        return {}
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)  # for the long way
    try:
        return parse_json_object(body) if len(body) == length else {}
    except ApiError:
        return {}


PREPARED = "latchkey.begun"
"""In an environment: what `end` needs of a request whose statement the event loop has executed, and found no row."""

JSON_ACCEPT_VALUES = frozenset(
    {"", "*/*", "application/json", "application/json, text/plain, */*", "application/json, */*"}
)
"""What programs say in Accept; whatever else there is to say is weighed on the long way."""

STATUS_LINES = {status.value: f"{status} {status.phrase}" for status in HTTPStatus}

_encode = json.JSONEncoder(ensure_ascii=False).encode


class FastPath:
    """A WSGI application (PEP 3333) before Django's."""

    def __init__(self, long_way: Any, views: Mapping[tuple[str, str], FastHandler]) -> None:
        self.django_app, self.handlers = long_way, views

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if found := self.match(environ):
            view, headers, asked = found
            act = partial(view.handle, asked, environ)
            if view.async_steps and PREPARED in environ:
                act = partial(view.async_steps.finish, environ[PREPARED], [], environ)
            status, all_of_them, body = respond(act, headers, environ)
            start_response(STATUS_LINES[status], all_of_them)
            return [body]
        parts: Iterable[bytes] = self.django_app(environ, start_response)
        return parts

    def match(self, environ: Environ) -> tuple[FastHandler, Headers, Any] | None:
        """Return the view, its headers and what is asked of it, None where the request is to go the long way."""
        view = self.handlers.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if view is None or "latchkey.refusal" in environ:
            return None
        if view.negotiated and environ.get("HTTP_ACCEPT", "") not in JSON_ACCEPT_VALUES:
            return None
        headers = cached_headers(view.headers, tuple(map(environ.get, VARYING)))
        asked = headers and view.parse(environ)
        return (view, headers, asked) if headers and asked is not None else None

    async def handle_async(self, environ: Environ, lines: AsyncPool) -> ResponseTuple | None:
        """Answer on the event loop; None where a thread has to go on.

        That is where nothing was found, which takes more statements to tell, and where the statement got lost. Then
        the thread executes it again: a refresh that had been spent by it is answered as a retry.
        """
        found = self.match(environ)
        halves = found and found[0].async_steps
        if not found or not halves:
            return None
        _, headers, asked = found
        try:
            begun = halves.prepare(asked)
            if begun is None:
                return None
            rows = await lines.fetch(begun[1])
        except (ApiError, ConnectionLost):
            return None
        except DatabaseError as error:
            return respond(partial(_reraise, error), headers, environ)
        if not rows:
            environ[PREPARED] = begun[0]
            return None
        return respond(partial(halves.finish, begun[0], rows, environ), headers, environ)


def respond(act: Callable[[], Body], headers: Headers, environ: Environ) -> ResponseTuple:
    """Return the status, the headers and the body, and log the request."""
    with request_log(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ) as answered:
        try:
            told = act()
            if isinstance(told, NoContent):
                answered.status, own, body = 204, told.headers, b""
            else:
                answered.status, own, body = 200, {"Content-Type": "application/json"}, encode_json(told)
        except Exception as error:
            refusal = to_api_error(error)
            if refusal is None:
                log_unhandled_exception()
                refusal = InternalServerError()
            body = json.dumps(problem_document(refusal)).encode()
            answered.status, own = refusal.status, {"Content-Type": CONTENT_TYPE, **refusal.headers}
            if refusal.status >= 500:
                own["X-Request-ID"] = answered.request_id
    length = [("Content-Length", str(len(body)))] if body else []  # none at 204 (RFC 9110 section 8.6)
    return answered.status, [*own.items(), *length, *headers], body


def _reraise(error: Exception) -> NoReturn:
    raise error


def encode_json(body: dict[str, Any]) -> bytes:
    """Return the body as DRF's JSONRenderer does, which sets itself up anew for each."""
    return _encode(body).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
