"""Unhandled exceptions in production: the response shows nothing of them, and still has HSTS."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.production import HOST, POSTGRESQL, production_server

ROOT = Path(__file__).resolve().parents[2]
REQUEST_CODE = f"""
import json, sys
sys.path.insert(0, {str(ROOT)!r})
from django.conf import settings
from django.test import Client
settings.ROOT_URLCONF = "tests.support.raising_urls"
client = Client(raise_request_exception=False, headers={{"Host": {HOST!r}}})
for path in ("/livez", "/mistake", "/api/mistake/", "/nowhere"):
    answer = client.get(path, secure=True)
    print("ANSWER " + json.dumps([path, answer.status_code, dict(answer.headers), answer.content.decode()]))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The responses of a production process over TLS, by path; two routes raise."""
    done = production_server(tmp_path_factory.mktemp("production"), POSTGRESQL).command(
        "shell", "--no-imports", "-c", REQUEST_CODE
    )
    assert done.returncode == 0, done.stderr
    lines = [line.removeprefix("ANSWER ") for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    return {path: rest for path, *rest in map(json.loads, lines)}


@pytest.mark.ledger("ASVS-13.4.2", "ASVS-3.4.1", "DJ-LIST-3")
@pytest.mark.parametrize(("path", "status"), [("/mistake", 500), ("/api/mistake/", 500), ("/nowhere", 404)])
def test_production_error_response_shows_no_traceback_and_has_hsts(
    answers: dict[str, Any], path: str, status: int
) -> None:
    assert answers["/livez"][0] == 200
    code, headers, body = answers[path]
    assert (code, headers["Content-Type"]) == (status, "application/problem+json")
    assert headers["Strict-Transport-Security"] == "max-age=63072000"
    assert list(json.loads(body)) == ["type", "title", "status", "detail", "code"]
    for inside in ("Traceback", "RuntimeError", "KeyError", "SELECT", "secret", "urlpatterns", ".py"):
        assert inside not in body
