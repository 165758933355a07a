"""Unhandled exceptions in view, parser, renderer or middleware become a problem document, and the process goes on."""

import httpx
import pytest

from tests.people import Person
from tests.problems import assert_problem


@pytest.mark.ledger("ASVS-16.5.4")
@pytest.mark.parametrize("place", ["view", "parser", "renderer", "middleware"])
def test_unhandled_exception_gets_a_500_problem_document_and_later_requests_work(
    raising_client: httpx.Client, place: str
) -> None:
    answer = raising_client.post(f"/api/{place}/", json={})
    assert_problem(answer, 500, "server_error")
    assert "secret" not in answer.text
    assert raising_client.post("/api/open/", json={}).json() == {"seen": 0}
    assert Person(raising_client, "alice@example.com").register().login().me().status_code == 200
