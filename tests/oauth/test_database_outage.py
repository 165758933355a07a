"""Verify, introspect and revoke during a database outage: no token counts as valid, inactive or revoked."""

import pytest

from tests.fixtures.database import DatabaseDown
from tests.oauth.conftest import ResourceServer
from tests.people import Person
from tests.problems import assert_problem


@pytest.mark.ledger("RFC7009-2.2.1")
def test_verify_introspect_and_revoke_answer_503_while_the_database_is_down(
    payments: ResourceServer, alice: Person, database_down: DatabaseDown
) -> None:
    with database_down():
        for method in ("GET", "HEAD"):
            answer = alice.http.request(method, "/api/verify/", headers=alice.bearer())
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        for token in (alice.access_token, alice.refresh_token):
            assert_problem(payments.introspect(token), 503, "unavailable")
            assert_problem(alice.http.post("/api/revoke/", data={"token": token}), 503, "unavailable")
    assert payments.introspect_json(alice.access_token)["active"] is True
    assert alice.refresh().me().status_code == 200
