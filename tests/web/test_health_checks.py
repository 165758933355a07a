"""GET /livez (liveness), /readyz (readiness) and / (home page)."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest


@pytest.mark.ledger("H-INF-14")
@pytest.mark.parametrize(("path", "queries"), [("/livez", 0), ("/readyz", 1)])
def test_liveness_and_readiness_answer_ok(
    http: httpx.Client, statements: Callable[[Callable[[], Any]], list[str]], path: str, queries: int
) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.text) == (200, '{"status": "ok"}')
    assert answer.headers["Content-Type"] == "application/json"
    assert "no-store" in answer.headers["Cache-Control"]
    assert len(statements(lambda: http.get(path))) == queries


def test_home_page_links_to_docs_api_and_admin(http: httpx.Client) -> None:
    page = http.get("/")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert {"/api-doc/", "/api/", "/api-doc/schema/", "/admin/"} <= set(links)
    for link in links:
        assert link.startswith("/"), link
        assert http.get(link, follow_redirects=True).status_code == 200, link


def test_home_page_shows_a_curl_command_that_works(http: httpx.Client) -> None:
    page = http.get("/").text
    assert "curl http://127.0.0.1:8000/api/register/" in page
    shown = re.search(r"-d '(\{[^']+\})'", page)
    assert shown is not None
    answer = http.post("/api/register/", content=shown[1], headers={"Content-Type": "application/json"})
    assert answer.status_code == 201
