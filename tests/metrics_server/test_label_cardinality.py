"""Label cardinality: no request can create a label value of its choice."""

import httpx
import pytest

from latchkey.telemetry.metrics import METHODS
from latchkey.telemetry.route_labels import OTHER, route_table
from tests.people import PASSWORD, Person
from tests.server import Server
from tests.support.metrics_endpoint import samples

PATHS = [
    "/secret-path",
    "/admin/nobody/here",
    "/static/../../x",
    "/api/me//",
    "/api/login/%00",
    "/'\"{}\\",
    "/é",
    "//x",
]


@pytest.mark.ledger("ASVS-10.1.1")
def test_hostile_requests_create_no_label_values_and_labels_contain_no_secret(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        alice = Person(http, "alice@example.com").register().login().refresh()
        alice.me()
        for path in PATHS:
            for method in ("GET", "POST", "BREW", "X" * 50):
                http.request(method, path, headers={"X-Secret": "s3cret"}, params={"token": alice.access_token})
        exposition = http.get("/metrics").text
    exact, prefixes = route_table()
    routes = {*exact.values(), *prefixes.values(), OTHER}
    labels = [one.labels for one in samples(exposition)]
    assert {label["route"] for label in labels if "route" in label} <= routes
    assert {label["method"] for label in labels if "method" in label} <= {*METHODS, OTHER}
    assert all(label["status"].isdecimal() for label in labels if "status" in label)
    for secret in ("s3cret", "secret-path", alice.email, alice.access_token, alice.refresh_token, PASSWORD, "BREW"):
        assert secret.lower() not in exposition.lower()


def test_route_label_is_the_same_with_and_without_trailing_slash(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        for path in (
            "/api/me",
            "/api/me/",
            "/api/sessions/7",
            "/api/sessions/8/",
            "/admin",
            "/admin/login/",
            "/static/latchkey/home.css",
        ):
            http.get(path)
        exposition = samples(http.get("/metrics").text)
    routes = {one.labels["route"] for one in exposition if "route" in one.labels}
    assert routes - {"/livez"} == {"/api/me/", "/api/sessions/<session_id>/", "/admin/", "/static/"}
