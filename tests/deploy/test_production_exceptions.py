"""A mistake of ours in production: the client learns nothing of it, and is told to stay on TLS."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.production import HOST, POSTGRESQL, production_server

ROOT = Path(__file__).resolve().parents[2]
ASK = f"""
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
    """What a production process answers over TLS, with two routes in it that raise."""
    done = production_server(tmp_path_factory.mktemp("production"), POSTGRESQL).command(
        "shell", "--no-imports", "-c", ASK
    )
    assert done.returncode == 0, done.stderr
    lines = [line.removeprefix("ANSWER ") for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    return {path: rest for path, *rest in map(json.loads, lines)}


@pytest.mark.ledger("ASVS-13.4.2", "ASVS-3.4.1", "DJ-LIST-3")
@pytest.mark.parametrize(("path", "status"), [("/mistake", 500), ("/api/mistake/", 500), ("/nowhere", 404)])
def test_a_mistake_shows_no_traceback_and_asks_for_tls(answers: dict[str, Any], path: str, status: int) -> None:
    assert answers["/livez"][0] == 200
    code, headers, body = answers[path]
    assert (code, headers["Content-Type"]) == (status, "application/problem+json")
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000; includeSubDomains")
    assert list(json.loads(body)) == ["type", "title", "status", "detail", "code"]
    for inside in ("Traceback", "RuntimeError", "KeyError", "SELECT", "secret", "urlpatterns", ".py"):
        assert inside not in body
