"""The short way: how the endpoints that a client calls all day are answered without Django's request cycle.

A plain view takes the request that is exactly as documented. Any other goes the long way: the same endpoint on
Django REST Framework, which renders pages and knows every refusal. Both ways give the same bytes and headers
(docs/decisions/0008-a-short-way-for-the-hot-endpoints.md, tests/api/test_short_way.py).
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias

from latchkey.core.errors import Refusal, ServerError
from latchkey.core.request_log import request_log
from latchkey.web.middleware import log_mistake
from latchkey.web.parsers import is_json, object_in
from latchkey.web.problems import CONTENT_TYPE, document, refusal_for
from latchkey.web.ready_headers import DECISIVE, Headers, all_headers

Environ: TypeAlias = dict[str, Any]

WANTS_JSON = frozenset({"", "*/*", "application/json", "application/json, text/plain, */*", "application/json, */*"})
"""What programs say in Accept; whatever else there is to say is weighed on the long way."""

SMALL = 1024
"""Bytes of a body that is looked at here; longer ones go the long way."""

STATUS_LINES = {status.value: f"{status} {status.phrase}" for status in HTTPStatus}

_encode = json.JSONEncoder(ensure_ascii=False).encode


class NoContent(NamedTuple):
    """An answer with status 204: what there is to say stands in its headers."""

    headers: dict[str, str]


class PlainView(NamedTuple):
    """Two functions and the headers that the endpoint adds to every answer of its own.

    `read` finds in a request what `act` needs, or returns None for the long way; it has no effects.
    `act` returns the body of the answer, or raises what any verb raises.
    """

    read: Callable[[Environ], Any]
    act: Callable[[Any, Environ], dict[str, Any] | NoContent]
    headers: Headers
    negotiated: bool = True  # whether Accept has a say in the answer


class ShortWay:
    """A WSGI application (PEP 3333) before Django's."""

    def __init__(self, long_way: Any, views: Mapping[tuple[str, str], PlainView]) -> None:
        self.long_way, self.views = long_way, views

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        view = self.views.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        wants_json = view and (environ.get("HTTP_ACCEPT", "") in WANTS_JSON or not view.negotiated)
        if view and wants_json and "latchkey.refusal" not in environ:
            headers = all_headers(view.headers, tuple(map(environ.get, DECISIVE)))
            asked = headers and view.read(environ)
            if headers and asked is not None:
                status, own, body = answer(view, asked, environ)
                length = [("Content-Length", str(len(body)))] if body else []  # none at 204 (RFC 9110 section 8.6)
                start_response(status, [*own.items(), *length, *headers])
                return [body]
        parts: Iterable[bytes] = self.long_way(environ, start_response)
        return parts


def answer(view: PlainView, asked: Any, environ: Environ) -> tuple[str, dict[str, str], bytes]:
    """Return the status line, the headers of this one answer, and the body."""
    with request_log(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ) as answered:
        try:
            told = view.act(asked, environ)
            if isinstance(told, NoContent):
                answered.status, headers, body = 204, told.headers, b""
            else:
                answered.status, headers, body = 200, {"Content-Type": "application/json"}, encoded(told)
        except Exception as error:
            refusal = refusal_for(error)
            if refusal is None:
                log_mistake()
                refusal = ServerError()
            body = json.dumps(document(refusal)).encode()
            answered.status, headers = refusal.status, {"Content-Type": CONTENT_TYPE, **refusal.extra_headers}
            if refusal.status >= 500:
                headers["X-Request-ID"] = answered.request_id
    return STATUS_LINES[answered.status], headers, body


def encoded(body: dict[str, Any]) -> bytes:
    """Return the body as DRF's JSONRenderer does, which sets itself up anew for each."""
    return _encode(body).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def object_sent(environ: Environ) -> dict[str, Any]:
    """Return the JSON object that was sent, or nothing where the body is to be judged on the long way."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not is_json(environ.get("CONTENT_TYPE", "")) or "HTTP_CONTENT_ENCODING" in environ or length > SMALL:
        return {}
    body = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)  # for the long way
    try:
        return object_in(body) if len(body) == length else {}
    except Refusal:
        return {}
