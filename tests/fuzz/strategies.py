"""Hypothesis strategies and settings of the fuzz tests: the same examples in every run, without a deadline."""

from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.hypothesis_profiles import NO_DEADLINE
from tests.support.admin_pages import Browser

DERANDOMIZED = settings(
    NO_DEADLINE,
    max_examples=100,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # no example leaves anything for the next
)

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)

HEADER_VALUES = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\r\n"), max_size=60)
"""Header values that a WSGI server can pass on: WSGI decodes the bytes of a header as Latin-1."""


def send_raw(method: str, path: str, body: bytes = b"", content_type: str = "", **environment: Any) -> httpx.Response:
    """Send bytes that httpx would reject, through the whole WSGI application."""
    client = Browser(HTTP_HOST="127.0.0.1", raise_request_exception=False)
    answer = client.generic(method, path, body, content_type, **environment)
    request = httpx.Request(method, f"http://127.0.0.1{path}")
    headers = list(answer.headers.items())
    return httpx.Response(answer.status_code, headers=headers, content=answer.content, request=request)
