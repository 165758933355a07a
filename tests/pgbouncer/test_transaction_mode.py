"""PgBouncer in transaction mode, where any two transactions may use two connections: API, admin and timeouts work."""

import re
from collections.abc import Callable

import httpx
import psycopg
import pytest

from tests.people import Person
from tests.pgbouncer.pgbouncer_process import PgBouncer
from tests.server import ADMIN_EMAIL, ADMIN_PASSWORD, Server
from tests.support.availability import assert_unavailable, send_refresh
from tests.support.login_attempts import fail_logins, try_password
from tests.support.refreshing_clients import Load

pytestmark = pytest.mark.pgbouncer


def test_2000_refreshes_through_pgbouncer_fork_and_lose_no_session(
    pooled_server: Server, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(pooled_server.url, clients=8)
    with load:
        load.wait_for_refreshes(2000, within=60)
    assert set(load.statuses()) == {"200"}, load
    assert_outcome(load, pooled_server, "through PgBouncer")


def test_session_endpoints_and_login_rate_limit_work_through_pgbouncer(pooled_server: Server) -> None:
    with httpx.Client(base_url=pooled_server.url, timeout=20) as http:
        alice = Person(http, "alice@example.com").register().login().refresh()
        assert alice.me().json() == {"id": alice.id, "username": "", "email": alice.email}
        assert alice.try_refresh(alice.spent[0]).json()["refresh_token"] == alice.refresh_token
        assert alice.logout().status_code == 200
        assert alice.me().status_code == alice.try_refresh().status_code == 401
        bob = Person(http, "bob@example.com").register()
        fail_logins(bob, times=10)
        assert try_password(bob, bob.password).status_code == 429


def test_admin_works_through_pgbouncer_under_load(pooled_server: Server, start_load: Callable[..., Load]) -> None:
    with (
        start_load(pooled_server.url),
        httpx.Client(base_url=pooled_server.url, timeout=20, follow_redirects=True) as http,
    ):
        alice = Person(http, "alice@example.com").register().login()

        def press(path: str, **typed: str) -> httpx.Response:
            (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', http.get(path).text)[:1])
            return http.post(path, data={"csrfmiddlewaretoken": token, **typed}, headers={"Referer": pooled_server.url})

        assert "Log out" in press("/admin/login/", username=ADMIN_EMAIL, password=ADMIN_PASSWORD).text
        page = f"/admin/latchkey/user/{alice.id}/change/"
        for _ in range(10):
            assert "Can add user" in http.get(page).text  # permissions, for which Django would use a server-side cursor
        press(page, email=alice.email, username="Alice", is_active="on")
        assert alice.me().json()["username"] == "Alice"
        assert alice.email in http.get("/admin/latchkey/session/").text


def test_database_timeouts_through_pgbouncer_equal_those_of_a_direct_connection(
    pooled_server: Server, pgbouncer: PgBouncer, database_url: str
) -> None:
    with psycopg.connect(pgbouncer.url.partition("?")[0]) as connection:
        limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        shown = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in limits]
    assert shown == [("5s",), ("3s",), ("10s",)]
    with httpx.Client(base_url=pooled_server.url, timeout=20) as http:
        alice = Person(http, "alice@example.com").register().login()
        with psycopg.connect(database_url) as holder:
            holder.execute("SELECT 1 FROM latchkey_session FOR UPDATE")
            assert_unavailable(alice.try_refresh(), within=5)
        assert alice.try_refresh().status_code == 200


def test_restart_of_pgbouncer_signs_no_user_out(
    pooled_server: Server, pgbouncer: PgBouncer, start_load: Callable[..., Load], assert_outcome: Callable[..., None]
) -> None:
    load = start_load(pooled_server.url, clients=8)
    with load:
        load.wait_for_refreshes(100)
        pgbouncer.stop()
        assert_unavailable(send_refresh(load.clients[0]))
        pgbouncer.start()
        load.wait_for_refreshes(100)
    assert_outcome(load, pooled_server, "PgBouncer away for a moment")
