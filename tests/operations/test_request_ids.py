"""X-Request-ID of 5xx responses: a user quotes it, and an operator finds the log lines of that request by it."""

from uuid import UUID, uuid4

import httpx
import pytest

from tests.fixtures.database import DatabaseDown
from tests.people import Person
from tests.problems import assert_problem
from tests.support.captured_log import CapturedLog


@pytest.mark.ledger("ASVS-16.5.1")
def test_500_response_has_the_request_id_of_its_log_line(
    raising_client: httpx.Client, captured_log: CapturedLog
) -> None:
    answer = raising_client.post("/api/view/", json={})
    assert_problem(answer, 500, "server_error")
    (failed,) = captured_log.lines("request_failed")
    assert answer.headers["X-Request-ID"] == failed["request_id"]


@pytest.mark.ledger("ASVS-16.5.1")
def test_each_5xx_response_has_its_own_request_id_and_a_4xx_response_none(
    http: httpx.Client, database_down: DatabaseDown
) -> None:
    with database_down():
        ids = {UUID(http.get("/readyz").headers["X-Request-ID"]) for _ in range(3)}
    assert len(ids) == 3
    assert "X-Request-ID" not in http.get("/api/me/").headers  # 4xx responses are alike, headers included


@pytest.mark.parametrize("name", ["X-Request-ID", "X-Correlation-ID", "x_request_id"])
def test_request_id_sent_by_a_client_is_ignored(
    http: httpx.Client, captured_log: CapturedLog, database_down: DatabaseDown, name: str
) -> None:
    theirs = str(uuid4())
    http.headers[name] = theirs
    Person(http, "alice@example.com").register().login()
    with database_down():
        assert http.get("/readyz").headers["X-Request-ID"] != theirs
    assert captured_log.lines("request_finished")
    assert theirs not in captured_log.text
