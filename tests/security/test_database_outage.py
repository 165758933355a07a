"""Database outage: requests get 503 with Retry-After, change nothing, and work again afterwards."""

import httpx
import pytest

from latchkey.conf import policy
from tests.fixtures.database import DatabaseDown
from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, nothing_changes, send, valid_body


@pytest.mark.ledger("H-INF-01", "RFC7009-2.2.1", "REG-FOSITE-01", "ASVS-16.5.2", "ASVS-16.5.3")
@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_endpoint_answers_503_during_a_database_outage_and_recovers(
    alice: Person, database_down: DatabaseDown, name: str
) -> None:
    body = valid_body(alice, name)
    with nothing_changes(), database_down():
        assert_problem(send(alice, name, body), 503, "unavailable")
    assert send(alice, name, body).status_code == ENDPOINTS[name].success


@pytest.mark.ledger("ASVS-16.5.3")
def test_me_answers_503_during_a_database_outage_and_recovers(alice: Person, database_down: DatabaseDown) -> None:
    with database_down():
        assert_problem(alice.me(), 503, "unavailable")
    assert alice.me().status_code == 200


def test_refresh_answers_503_during_a_database_outage_before_settings_were_read(
    alice: Person, database_down: DatabaseDown
) -> None:
    policy.clear_cache()
    with database_down():
        assert_problem(alice.try_refresh(), 503, "unavailable")
    policy.clear_cache()
    assert alice.try_refresh().status_code == 200


@pytest.mark.ledger("H-INF-14")
def test_liveness_is_ok_and_readiness_503_during_a_database_outage(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    with database_down():
        assert http.get("/livez").text == '{"status": "ok"}'
        assert_problem(http.get("/readyz"), 503, "unavailable")
    assert http.get("/readyz").status_code == 200


def test_pages_without_database_access_work_during_a_database_outage(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    with database_down():
        for path in ("/", "/api/", "/api-doc/", "/api-doc/schema/"):
            assert http.get(path).status_code == 200, path


def test_client_errors_found_without_the_database_are_unchanged_during_an_outage(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    with database_down():
        assert_problem(http.get("/api/me/"), 401, "not_authenticated")
        assert_problem(http.post("/api/refresh/", json={"refresh_token": "x"}), 400, "invalid", ["refresh_token"])
        assert_problem(http.get("/nothing"), 404, "not_found")


def test_admin_answers_503_as_a_problem_document_during_a_database_outage(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    cookie = {"Cookie": "sessionid=" + "x" * 32}
    with database_down():
        assert_problem(http.get("/admin/", headers=cookie), 503, "unavailable")
    assert http.get("/admin/", headers=cookie).status_code == 302
