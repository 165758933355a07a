"""A mistake of ours, wherever it is, ends in the one problem document, and the process goes on."""

from typing import Any

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler

from tests.people import Person
from tests.problems import assert_problem


@pytest.fixture
def raising_client(http: httpx.Client, settings: Any) -> httpx.Client:
    """The service with a mistake at every turn."""
    settings.ROOT_URLCONF = "tests.promises.broken_urls"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.promises.broken_urls.BrokenMiddleware"]
    transport = httpx.WSGITransport(app=WSGIHandler(), raise_app_exceptions=False)
    return httpx.Client(transport=transport, base_url=http.base_url)


@pytest.mark.ledger("ASVS-16.5.4")
@pytest.mark.parametrize("place", ["view", "parser", "renderer", "middleware"])
def test_a_mistake_is_told_in_one_shape_and_breaks_nothing_else(raising_client: httpx.Client, place: str) -> None:
    answer = raising_client.post(f"/api/{place}/", json={})
    assert_problem(answer, 500, "server_error")
    assert "secret" not in answer.text
    assert raising_client.post("/api/open/", json={}).json() == {"seen": 0}
    assert Person(raising_client, "alice@example.com").register().login().me().status_code == 200
