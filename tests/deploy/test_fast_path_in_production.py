"""The fast path sends the headers of Django's request cycle where they depend on the request: origin and scheme."""

from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.support.production import HOST, production_server

ALLOWED, OTHER, EVIL = "https://app.example.com", "https://app.example.com:8443", "https://evil.example.com"
DJANGO_ACCEPT = "application/json, text/html;q=0.1"


@pytest.mark.ledger("ASVS-3.4.2")
def test_fast_path_headers_depend_on_origin_and_scheme_as_in_django(tmp_path: Path, database_url: str) -> None:
    server = production_server(tmp_path, database_url, LATCHKEY_TRUSTED_PROXIES="1").start()
    try:
        with httpx.Client(base_url=server.url) as client:
            for origin, scheme in [*product((ALLOWED, None, OTHER, EVIL), ("https", None, "http"))] * 2:
                sent = {"Host": HOST, "Origin": origin, "X-Forwarded-Proto": scheme, "Authorization": "Bearer x"}
                headers = {name: value for name, value in sent.items() if value}
                fast, full = (
                    client.get("/api/me/", headers=headers | {"Accept": accept}) for accept in ("*/*", DJANGO_ACCEPT)
                )
                assert {**fast.headers, "date": ""} == {**full.headers, "date": ""}
                allowed_origin = fast.headers.get("Access-Control-Allow-Origin")
                assert allowed_origin == (origin if origin in (ALLOWED, OTHER) else None)
                assert ("Strict-Transport-Security" in fast.headers) == (scheme == "https")
    finally:
        server.kill()
