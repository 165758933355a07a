"""Ids of users are never given again, whatever happens to the newest."""

import httpx

from tests.people import Person
from tests.server import Server


def test_after_a_restart_the_id_of_whoever_left_is_still_taken(server: Server) -> None:
    with httpx.Client(base_url=server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
        body = {"password": bob.password}
        assert http.request("DELETE", "/api/me/", json=body, headers=bob.bearer()).status_code == 204
    assert server.stop() == 0
    server.restart()
    with httpx.Client(base_url=server.url) as http:
        assert Person(http, "bob@example.com").register().id > bob.id
