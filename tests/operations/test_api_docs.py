"""LATCHKEY_API_DOCS: whether the API documentation is public; and the concurrent generation of the OpenAPI document."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from tests.operations.conftest import LaunchServer
from tests.people import Person
from tests.problems import assert_problem
from tests.server import PUBLIC_URL

DOCS = ("/api-doc/", "/api-doc/schema/")


@pytest.mark.ledger("ASVS-13.4.5")
@pytest.mark.parametrize("switch", ["on", "off"])
def test_api_docs_are_served_unless_latchkey_api_docs_is_off(launch: LaunchServer, switch: str) -> None:
    server = launch(workers=1, LATCHKEY_API_DOCS=switch)
    assert (f"{PUBLIC_URL}/api-doc/" in server.log.read_text()) == (switch == "on")
    assert f"{PUBLIC_URL}/admin/" in server.log.read_text()
    with httpx.Client(base_url=server.url) as http:
        for path in DOCS:
            if switch == "on":
                assert http.get(path).status_code == 200
            else:
                assert_problem(http.get(path), 404, "not_found")
        page = http.get("/")
        assert [path in page.text for path in DOCS] == [switch == "on"] * 2
        for link in re.findall(r'(?:href|src)="([^"]+)"', page.text):
            assert http.get(link, follow_redirects=True).status_code == 200, link
        assert Person(http, "alice@example.com").register().login().refresh().me().status_code == 200


def test_openapi_document_is_the_same_for_parallel_requests_with_any_query(launch: LaunchServer) -> None:
    """A `?version=` in one request must not get into the document of another."""
    address = f"{launch(workers=1).url}/api-doc/schema/"
    asked = [f"{address}?version={number}" if number % 2 else address for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(partial(httpx.get, timeout=60), asked))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.ledger("ASVS-13.4.5")
@pytest.mark.parametrize("probe", ["/livez", "/readyz"])
def test_health_checks_disclose_nothing_but_their_status(http: httpx.Client, probe: str) -> None:
    answer = http.get(probe, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.text) == (200, '{"status": "ok"}')
    assert "Server" not in answer.headers
