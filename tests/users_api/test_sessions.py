"""Sessions of a user over the API for back ends: list them, end one, end all; and the unlocking of an account."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import time_machine

from latchkey.sessions.models import Session
from tests.people import Person, try_login
from tests.problems import assert_problem
from tests.user_sessions.test_sessions import FIREFOX, id_of, is_signed_in, login_again
from tests.users_api.callers import KINDS, READ, WRITE, application, events_of, person


def test_list_of_sessions_names_every_device_of_the_user(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person, bob: Person
) -> None:
    clock.shift(10)
    laptop = login_again(alice, FIREFOX)
    found = application(http, READ).get(f"users/{alice.id}/sessions/")
    assert [session["id"] for session in found] == [id_of(laptop), id_of(alice)]
    assert found[0] == {
        "id": id_of(laptop),
        "created_at": "2030-01-01T12:00:10Z",
        "last_used_at": "2030-01-01T12:00:10Z",
        "expires_at": "2030-01-31T12:00:10Z",
        "ip": "127.0.0.1",
        "device": "Firefox on Linux",
        "user_agent": FIREFOX,
        "amr": ["pwd"],
        "acr": "aal1",
        "authenticated_at": "2030-01-01T12:00:10Z",
    }


def test_list_of_sessions_has_no_ended_ones_and_no_secrets(http: httpx.Client, alice: Person) -> None:
    login_again(alice).logout()
    row = Session.objects.get()
    text = application(http, READ).send("GET", f"users/{alice.id}/sessions/").text
    assert text.count('"id"') == 1
    assert not [secret for secret in (str(row.selector), bytes(row.digest).hex()) if secret in text]


@pytest.mark.parametrize("kind", KINDS)
def test_ended_session_is_refused_at_once_while_the_others_stay(
    http: httpx.Client, alice: Person, bob: Person, kind: str
) -> None:
    laptop = login_again(alice)
    caller = KINDS[kind](http, WRITE)
    answer = caller.send("DELETE", f"users/{alice.id}/sessions/{id_of(laptop)}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not is_signed_in(laptop)
    assert is_signed_in(alice)
    assert is_signed_in(bob)
    reason = "application" if caller.client_id else "operator"
    assert events_of(alice.id, "session.ended") == [(caller.user_id, caller.client_id, reason)]


def test_session_that_is_not_the_users_is_not_found(http: httpx.Client, alice: Person, bob: Person) -> None:
    ended = login_again(alice)
    ended.logout()
    crm = application(http, WRITE)
    for which in (id_of(bob), id_of(ended), "0", "1", str(2**63), "x", "-1", f"0{id_of(alice)}", "%00"):
        assert_problem(crm.send("DELETE", f"users/{alice.id}/sessions/{which}/"), 404, "not_found")
    assert is_signed_in(alice)
    assert is_signed_in(bob)


def test_session_cannot_be_ended_twice(http: httpx.Client, alice: Person) -> None:
    crm, path = application(http, WRITE), f"users/{alice.id}/sessions/{id_of(alice)}/"
    assert crm.send("DELETE", path).status_code == 204
    assert_problem(crm.send("DELETE", path), 404, "not_found")
    assert len(events_of(alice.id, "session.ended")) == 1


def test_end_of_all_sessions_signs_out_every_device_of_the_user(http: httpx.Client, alice: Person, bob: Person) -> None:
    laptop, crm = login_again(alice), application(http, READ, WRITE)
    answer = crm.send("DELETE", f"users/{alice.id}/sessions/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not is_signed_in(alice)
    assert not is_signed_in(laptop)
    assert is_signed_in(bob)
    assert crm.get(f"users/{alice.id}/sessions/") == []
    assert events_of(alice.id, "user.signed_out_everywhere") == [(None, "crm", "application")]
    assert alice.login().me().status_code == 200


def test_requests_about_sessions_take_the_same_statements_for_many(
    http: httpx.Client, alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    crm, carol = application(http, READ, WRITE), person(http, READ)

    def counts() -> list[int]:
        listed = f"users/{alice.id}/sessions/"
        return [
            len(statements(lambda: crm.get(listed))),
            len(statements(lambda: carol.get(listed))),
            len(statements(lambda: crm.send("DELETE", listed))),
        ]

    few = counts()
    for _ in range(9):
        login_again(alice)
    assert counts() == few
    assert few[:2] == [3, 4]


def test_unlocked_user_signs_in_again_after_failed_sign_ins(http: httpx.Client, alice: Person) -> None:
    stranger = httpx.Client(transport=http._transport, base_url=http.base_url)
    for number in range(30):
        try_login(stranger, alice.email, f"a wrong password {number}")
    assert_problem(try_login(stranger, alice.email), 429, "too_many_attempts")
    answer = application(http, WRITE).send("POST", f"users/{alice.id}/unlock/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert try_login(stranger, alice.email).status_code == 200
    assert events_of(alice.id, "rate_limit.reset") == [(None, "crm", "application")]


def test_user_who_is_not_locked_can_be_unlocked(http: httpx.Client, alice: Person) -> None:
    assert application(http, WRITE).send("POST", f"users/{alice.id}/unlock/").status_code == 204
