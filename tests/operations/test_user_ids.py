"""User ids are never reused, even if the newest user is deleted."""

import httpx

from tests.people import Person
from tests.server import Server


def test_id_of_a_deleted_user_is_not_reused_after_a_restart(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
        body = {"password": bob.password}
        assert http.request("DELETE", "/api/me/", json=body, headers=bob.bearer()).status_code == 204
    assert server.stop() == 0
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, "bob@example.com").register().id > bob.id
