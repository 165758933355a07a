"""What an endpoint on the short way (latchkey/web/fast_path/application.py) is made of, and how it reads a body."""

import io
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from latchkey.core.exceptions import ApiError
from latchkey.db.prepared import Query
from latchkey.web.fast_path.response_headers import Headers
from latchkey.web.parsers import is_json_utf8, parse_json_object

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
