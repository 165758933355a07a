"""Fast path: answer login, refresh, me and verify without Django's request cycle, which costs more than they do.

A fast handler takes the request that is exactly as documented. All other requests go to the view of the same endpoint
on Django REST Framework, which renders pages and knows every error. Both give the same bytes and headers, errors
included (docs/decisions/0008-fast-path.md, tests/web/test_fast_path.py): the headers are those of the view, the names
in a body are those of its serializer.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from http import HTTPStatus
from operator import attrgetter
from typing import Any, NamedTuple, NoReturn, TypeAlias

from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, get_resolver
from rest_framework.serializers import Serializer

from latchkey.core import clock
from latchkey.core.exceptions import ApiError, InternalServerError
from latchkey.db.async_connection import ConnectionLost, StatementLost
from latchkey.db.async_pool import AsyncPool
from latchkey.db.outages import record_outage
from latchkey.db.statements import Query
from latchkey.telemetry.request_log import request_log
from latchkey.web.api_view import IgnoreAccept
from latchkey.web.input import is_form_utf8, is_json_utf8, parse_form, parse_json_object
from latchkey.web.middleware import all_header_middleware, log_unhandled_exception
from latchkey.web.problems import error_document, to_api_error

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = tuple[tuple[str, str], ...]
Rows: TypeAlias = list[tuple[Any, ...]]
ResponseTuple: TypeAlias = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers and body."""

MAX_BODY_BYTES = 1024
"""Bytes of the longest body that is parsed here; a longer one goes to the view."""

PREPARED = "latchkey.prepared"
"""Key in a WSGI environment: what `finish` needs of a request whose statement the event loop executed without a row."""

VARYING = ("HTTP_HOST", "HTTP_ORIGIN", "HTTP_X_FORWARDED_PROTO", "PATH_INFO")
"""All keys of a request that the headers of its response depend on."""

NO_STORE: Headers = (("Cache-Control", "no-store"),)
"""Headers of an unhandled exception, as Django's handler500 gives them (web/problems.py)."""

JSON_ACCEPT_VALUES = frozenset(
    {"", "*/*", "application/json", "application/json, text/plain, */*", "application/json, */*"}
)
"""Values of Accept that clients send for JSON; all others are negotiated by the view."""

STATUS_LINES = {status.value: f"{status} {status.phrase}" for status in HTTPStatus}

_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode  # default: a UUID


class NoContent(NamedTuple):
    """A response with status 204 and these headers."""

    headers: dict[str, str]


class WithHeaders(NamedTuple):
    """A response with status 200, this JSON object, and these headers besides."""

    body: dict[str, Any]
    headers: dict[str, str]


Body: TypeAlias = dict[str, Any] | WithHeaders | NoContent
"""The JSON object of a response, with headers or without, or that there is none."""


class AsyncSteps(NamedTuple):
    """The code before and after the one SQL statement, so that the event loop can await it.

    `prepare` returns what `finish` needs and the statement, or None where it may take long and a thread has to begin.
    `finish` takes the rows, and returns or raises what `handle` does. Without a row it may take long, too.
    """

    prepare: Callable[[Any], tuple[Any, Query] | None]
    finish: Callable[[Any, Rows, Environ], Body]


class FastHandler(NamedTuple):
    """One method of a view, for requests that are exactly as documented.

    `parse` returns what `handle` needs of a request, or None for the view; it has no effects.
    `handle` returns the body of the response, or raises what any use case raises.
    """

    parse: Callable[[Environ], Any]
    handle: Callable[[Any, Environ], Body]
    async_steps: AsyncSteps | None = None
    admission: "Admission | None" = None


class Admission(NamedTuple):
    """The rate limit of a method that hashes a password, so that it can be looked at before the queue for hashing.

    `admit` counts the attempt in the environ, for `handle`, or raises what `handle` would. `withdraw` takes the attempt
    back if `handle` was never called.
    """

    admit: Callable[[Any, Environ], None]
    withdraw: Callable[[Environ], None]


class FastEndpoint(NamedTuple):
    """A fast handler with what its view adds to every response."""

    handler: FastHandler
    headers: Headers
    negotiated: bool  # whether Accept has a say in the response


def fast_endpoints() -> dict[tuple[str, str], FastEndpoint]:
    """Return the fast handlers of all views, by method and path, as the URLconf has them."""
    found: dict[tuple[str, str], FastEndpoint] = {}
    for pattern in get_resolver().url_patterns:
        view_class: Any = getattr(pattern.callback, "cls", None) if isinstance(pattern, URLPattern) else None
        for method, handler in getattr(view_class, "fast_handlers", {}).items():
            view = view_class()
            view.setup(HttpRequest())  # adds HEAD to the methods, as for each request
            varies = (("Vary", "Accept"),) if len(view.renderer_classes) > 1 else ()  # as in DRF
            headers = (("Allow", ", ".join(view.allowed_methods)), *NO_STORE, *varies)
            negotiated = view.content_negotiation_class is not IgnoreAccept
            found[method, f"/{pattern.pattern}"] = FastEndpoint(handler, headers, negotiated)
    return found


def body_of(serializer_class: type[Serializer[Any]]) -> Callable[[object], dict[str, Any]]:
    """Return a function that gives the fields of a serializer as they are attributes of an object."""
    names = tuple(serializer_class().fields)
    values = attrgetter(*names)
    return lambda instance: dict(zip(names, values(instance), strict=True))


class FastPath:
    """A WSGI application (PEP 3333) before Django's."""

    def __init__(self, django_app: Any, endpoints: Mapping[tuple[str, str], FastEndpoint]) -> None:
        self.django_app, self.endpoints = django_app, endpoints

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if matched := self.match(environ):
            handler, headers, parsed = matched
            act = partial(handler.handle, parsed, environ)
            if handler.async_steps and PREPARED in environ:
                act = partial(handler.async_steps.finish, environ[PREPARED], [], environ)
            status, response_headers, body = respond(act, headers, environ)
            start_response(STATUS_LINES[status], response_headers)
            return [body]
        parts: Iterable[bytes] = self.django_app(environ, start_response)
        return parts

    def match(self, environ: Environ) -> tuple[FastHandler, Headers, Any] | None:
        """Return the handler, its headers and the parsed request; None for a request that is the view's."""
        endpoint = self.endpoints.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if endpoint is None or "latchkey.error" in environ:
            return None
        if endpoint.negotiated and environ.get("HTTP_ACCEPT", "") not in JSON_ACCEPT_VALUES:
            return None
        headers = cached_headers(endpoint.headers, tuple(map(environ.get, VARYING)))
        parsed = headers and endpoint.handler.parse(environ)
        return (endpoint.handler, headers, parsed) if headers and parsed is not None else None

    def must_admit(self, environ: Environ) -> bool:
        """Return whether the rate limit of this request is looked at before it waits for hashing."""
        matched = self.match(environ)
        return matched is not None and matched[0].admission is not None

    def refuse(self, error: ApiError, environ: Environ) -> ResponseTuple:
        """Return the response to a request that `must_admit` is true for, and that is not taken up."""
        endpoint = self.endpoints[environ["REQUEST_METHOD"], environ["PATH_INFO"]]
        headers = cached_headers(endpoint.headers, tuple(map(environ.get, VARYING)))
        return respond(partial(_reraise, error), headers or (), environ)

    def admit(self, environ: Environ) -> ResponseTuple | None:
        """Count an attempt before it waits for hashing; return the response of one that is refused, else None."""
        matched = self.match(environ)
        if not matched or not matched[0].admission:
            return None
        _, headers, parsed = matched
        try:
            matched[0].admission.admit(parsed, environ)
        except Exception as error:
            return respond(partial(_reraise, error), headers, environ)
        return None

    def withdraw(self, environ: Environ) -> None:
        """Take the attempt back that `admit` has counted, if it did."""
        endpoint = self.endpoints.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if endpoint and endpoint.handler.admission:
            endpoint.handler.admission.withdraw(environ)

    async def handle_async(self, environ: Environ, pool: AsyncPool) -> ResponseTuple | None:
        """Answer on the event loop; None where a thread has to go on.

        A thread goes on without a row, as it takes more statements to find out why, and after a lost connection. It
        then executes the statement again: a refresh token that the lost statement used is answered as a retry.
        """
        matched = self.match(environ)
        steps = matched and matched[0].async_steps
        if not matched or not steps:
            return None
        _, headers, parsed = matched
        started_at = clock.now()
        try:
            prepared = steps.prepare(parsed)
            if prepared is None:
                return None
            rows = await pool.fetch(prepared[1])
        except (ApiError, ConnectionLost) as error:
            if isinstance(error, StatementLost):  # it may have been executed, and the client gets no answer of it
                record_outage(started_at)
            return None
        except DatabaseError as error:
            record_outage(started_at)
            return respond(partial(_reraise, error), headers, environ)
        if not rows:
            environ[PREPARED] = prepared[0]
            return None
        return respond(partial(steps.finish, prepared[0], rows, environ), headers, environ)


def respond(act: Callable[[], Body], headers: Headers, environ: Environ) -> ResponseTuple:
    """Return the status, the headers and the body, and log the request."""
    with request_log(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ) as entry:
        try:
            result = act()
            if isinstance(result, NoContent):
                entry.status, own, body = 204, result.headers, b""
            else:
                result, added = result if isinstance(result, WithHeaders) else (result, {})
                entry.status, own, body = 200, {"Content-Type": "application/json", **added}, encode_json(result)
        except Exception as exception:
            error = to_api_error(exception)
            if error is None:
                log_unhandled_exception()
                error = InternalServerError()
                headers = cached_headers(NO_STORE, tuple(map(environ.get, VARYING))) or headers
            content_type, document = error_document(error, environ["PATH_INFO"])
            body = json.dumps(document).encode()
            entry.status, own = error.status, {"Content-Type": content_type, **error.headers}
            if error.status >= 500:
                own["X-Request-ID"] = entry.request_id
    length = [("Content-Length", str(len(body)))] if body else []  # none at 204 (RFC 9110 section 8.6)
    return entry.status, [*own.items(), *length, *headers], body


def _reraise(error: Exception) -> NoReturn:
    raise error


@lru_cache(maxsize=256)
def cached_headers(own: Headers, varying: tuple[str | None, ...]) -> Headers | None:
    """Return the endpoint's own headers and those of the real middleware; None for a host that is not allowed.

    They are computed once per Host, Origin, scheme and path, as nothing else of a request changes them.
    """
    environ = {name: value for name, value in zip(VARYING, varying, strict=True) if value is not None}
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


def read_json_object(environ: Environ) -> dict[str, Any]:
    """Return the JSON object of a request, or an empty one where the view has to judge the body."""
    body = _read_body(environ) if is_json_utf8(environ.get("CONTENT_TYPE", "")) else None
    try:
        return {} if body is None else parse_json_object(body)
    except ApiError:
        return {}


def is_empty_json_object(environ: Environ) -> bool:
    """Tell whether the body is exactly `{}`, as an endpoint without parameters has it."""
    return is_json_utf8(environ.get("CONTENT_TYPE", "")) and _read_body(environ) == b"{}"


def read_form(environ: Environ) -> dict[str, str | list[str]]:
    """Return the parameters of a form, or an empty one where the view has to judge the body."""
    body = _read_body(environ) if is_form_utf8(environ.get("CONTENT_TYPE", "")) else None
    try:
        return {} if body is None else parse_form(body)
    except ApiError:
        return {}


def _read_body(environ: Environ) -> bytes | None:
    """Return a body that is short, whole and not encoded, else None; the view can read it again."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if "HTTP_CONTENT_ENCODING" in environ or length > MAX_BODY_BYTES:
        return None
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body if len(body) == length else None


def encode_json(body: dict[str, Any]) -> bytes:
    """Return the body as DRF's JSONRenderer does, which sets itself up anew for each."""
    return _encode(body).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()
