"""GET /api/verify/ with bearer tokens of every kind, and with what they are good for: roles, scopes and audiences."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from latchkey.api_keys.models import ApiKey
from latchkey.audit.log import COMMAND_LINE
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.models import Role
from latchkey.authorization.roles import revoke_role
from latchkey.oauth.fast_path import MAX_QUERY_LENGTH, parse_query_string
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from tests.people import Person
from tests.problems import assert_problem
from tests.support.bearers import add_application, add_role, application_key, application_token, person_key
from tests.support.simultaneous import decode_claims

NAMES = ("X-User-Id", "X-Session-Id", "X-User-Email-Verified", "X-User-Roles", "X-Client-Id", "X-Scope")
METHODS = ["GET", "HEAD"]
"""GET is answered on the fast path, HEAD by the view."""

ORDERS = "https://orders.example.com/"


def verify(http: httpx.Client, token: str, method: str = "GET", **query: str) -> httpx.Response:
    """Ask the verify endpoint about a token; the query as a proxy has it in its configuration."""
    return http.request(method, "/api/verify/", params=query, headers={"Authorization": f"Bearer {token}"})


def identity(answer: httpx.Response) -> list[str]:
    """Return the values of the six headers, each of which stands once in a success."""
    assert answer.status_code == 204, answer.text
    values = [answer.headers.get_list(name) for name in NAMES]
    assert all(len(value) == 1 for value in values), values
    return [value[0] for value in values]


@pytest.mark.parametrize("method", METHODS)
def test_verify_names_the_sorted_roles_of_a_session(alice: Person, method: str) -> None:
    sid = decode_claims(alice.access_token)["sid"]
    assert identity(verify(alice.http, alice.access_token, method)) == [str(alice.id), sid, "false", "", "", ""]
    for name in ("viewer", "editor", "admin:eu"):
        add_role(alice, name)
    set_claims(alice.id, {"plan": "pro"}, COMMAND_LINE)
    assert identity(verify(alice.http, alice.access_token, method)) == [
        *(str(alice.id), sid, "false"),
        *("admin:eu,editor,viewer", "", ""),
    ]


@pytest.mark.parametrize("method", METHODS)
def test_verify_names_no_role_of_an_account_with_custom_claims_alone(alice: Person, method: str) -> None:
    set_claims(alice.id, {"roles": ["admin"]}, COMMAND_LINE)
    assert verify(alice.http, alice.access_token, method).headers["X-User-Roles"] == ""
    assert_problem(verify(alice.http, alice.access_token, role="admin"), 403, "missing_role")


@pytest.mark.parametrize("method", METHODS)
def test_verify_names_an_application_by_its_client_id_and_its_scopes(http: httpx.Client, db: None, method: str) -> None:
    add_application("reports", "reports:write", "reports:read", "mail:send")
    token = application_token("reports", "reports:write", "reports:read", "gone")
    assert identity(verify(http, token, method)) == ["", "", "", "", "reports", "reports:read reports:write"]


@pytest.mark.parametrize("method", METHODS)
def test_verify_names_the_owner_and_the_scopes_of_an_api_key(alice: Person, method: str) -> None:
    add_role(alice, "editor", "reports:read", "reports:write")
    key = person_key(alice, "reports:read", "mail:send")
    assert identity(verify(alice.http, key, method)) == [str(alice.id), "", "false", "", "", "reports:read"]
    reports = add_application("reports", "mail:send")
    key = application_key(reports, "mail:send", "reports:read")
    assert identity(verify(alice.http, key, method)) == ["", "", "", "", "reports", "mail:send"]


@pytest.mark.parametrize("method", METHODS)
def test_verify_asks_for_a_role_that_a_session_alone_can_have(alice: Person, bob: Person, method: str) -> None:
    role = add_role(alice, "editor", "reports:read")
    assert verify(alice.http, alice.access_token, method, role="editor").status_code == 204
    key, app = person_key(alice, "reports:read"), add_application("editor", "reports:read")
    for token in (bob.access_token, key, application_token("editor", "reports:read"), application_key(app)):
        assert verify(alice.http, token, method).status_code == 204
        assert verify(alice.http, token, method, role="editor").status_code == 403
        assert_problem(verify(alice.http, token, role="editor"), 403, "missing_role")
    assert_problem(verify(alice.http, alice.access_token, role="edit"), 403, "missing_role")
    revoke_role([alice.id], role, COMMAND_LINE)
    assert_problem(verify(alice.http, alice.access_token, role="editor"), 403, "missing_role")


@pytest.mark.parametrize("method", METHODS)
def test_verify_asks_for_all_scopes_of_every_kind_of_token(alice: Person, bob: Person, method: str) -> None:
    add_role(alice, "editor", "a", "b", "c")
    app = add_application("reports", "a", "b", "c")
    holders = {
        "session": (alice.access_token, "a b"),
        "key": (person_key(alice, "a", "b", "c"), "a b c"),
        "application": (application_token("reports", "a", "b", "c"), "a b c"),
        "application key": (application_key(app, "a", "b", "c"), "a b c"),
    }
    for name, (token, told) in holders.items():
        assert identity(verify(alice.http, token, method, scope="b a"))[5] == told, name
    lacking = {
        "session": bob.access_token,
        "key": person_key(alice, "a"),
        "application": application_token("reports", "a"),
        "application key": application_key(app, "b"),
    }
    for name, token in lacking.items():
        answer = verify(alice.http, token, method, scope="b a")
        assert answer.status_code == 403, name
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="a b"', name
        assert not {"X-User-Id", "X-Client-Id"} & {name.title() for name in answer.headers}
        assert_problem(verify(alice.http, token, scope="b a"), 403, "insufficient_scope")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.ledger("RFC9068-4")
def test_verify_refuses_a_token_of_an_application_for_another_audience(alice: Person, method: str) -> None:
    app = add_application("reports", "a")
    ours, theirs = application_token("reports", "a"), application_token("reports", "a", audience=[ORDERS])
    both = application_token("reports", "a", audience=["latchkey", ORDERS])
    for token, audience, status in (
        *((ours, None, 204), (theirs, None, 401), (both, None, 204)),
        *((ours, ORDERS, 401), (theirs, ORDERS, 204), (both, ORDERS, 204)),
        *((theirs, ORDERS.rstrip("/"), 401), (theirs, "latchkey", 401), (ours, "latchkey", 204)),
        *((alice.access_token, ORDERS, 204), (person_key(alice), ORDERS, 204), (application_key(app), ORDERS, 204)),
    ):
        query = {} if audience is None else {"audience": audience}
        assert verify(alice.http, token, method, **query).status_code == status, (audience, status)
    assert_problem(verify(alice.http, theirs), 401, "invalid_token")
    assert_problem(verify(alice.http, theirs, scope="b"), 401, "invalid_token")  # nothing is told about its scopes


@pytest.mark.parametrize("query", [{"acr": "aal1"}, {"max_age": "300"}, {"acr": "phr", "max_age": "0"}])
@pytest.mark.parametrize("method", METHODS)
def test_verify_asks_nobody_but_people_for_a_second_factor(alice: Person, method: str, query: dict[str, str]) -> None:
    """A challenge of RFC 9470 would ask for a step-up that no application and no API key can do."""
    app = add_application("reports")
    for token in (application_token("reports"), application_key(app), person_key(alice)):
        answer = verify(alice.http, token, method, **query)
        assert (answer.status_code, answer.headers.get("WWW-Authenticate")) == (403, None)
        assert_problem(verify(alice.http, token, **query), 403, "permission_denied")


def test_verify_asks_for_a_role_before_a_second_factor(alice: Person) -> None:
    """A person without the role would prove it in vain."""
    assert_problem(verify(alice.http, alice.access_token, role="editor", acr="aal2"), 403, "missing_role")
    add_role(alice, "editor")
    answer = verify(alice.http, alice.access_token, role="editor", acr="aal2")
    assert_problem(answer, 401, "insufficient_user_authentication")


WRONG_QUERIES = [
    *("role=", "role=Editor", "role=a,b", "role=a b", "role=%C3%A9", "role=editor&role=viewer", f"role={'a' * 65}"),
    *("scope=", "scope=A", "scope=a,b", "scope=a  b", "scope=+a", "scope=a%0Ab", 'scope=a"', "scope=a&scope=b"),
    f"scope={'+'.join('a' * 17)}",
    *("audience=", "audience=a b", "audience=a%22", "audience=a&audience=a", f"audience={'a' * 256}"),
    *("roles=editor", "role=editor&x", "rôle=editor"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("query", WRONG_QUERIES)
def test_verify_refuses_a_wrong_query_of_every_kind_of_token(alice: Person, query: str, method: str) -> None:
    add_role(alice, "editor", "a", "b")
    add_application("reports", "a", "b")
    for token in (alice.access_token, application_token("reports", "a", "b"), person_key(alice, "a", "b")):
        answer = alice.http.request(method, f"/api/verify/?{query}", headers=alice.bearer(token))
        assert answer.status_code == 400
        if method == "GET":
            assert_problem(answer, 400, "invalid")


def test_verify_parses_queries_of_any_order_and_encoding_on_the_fast_path() -> None:
    for query in ("role=editor&scope=a+b&audience=https://a.example/x", "scope=b%20a&role=editor&audience=latchkey"):
        parsed = parse_query_string(query)
        assert parsed is not None
        assert (parsed.role, parsed.scopes) == ("editor", frozenset({"a", "b"}))
    assert parse_query_string("&" * MAX_QUERY_LENGTH) is not None  # no more fields than Django counts
    assert parse_query_string("&" * (MAX_QUERY_LENGTH + 1)) is None


def test_verify_takes_one_statement_for_roles_and_for_applications(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    add_role(alice, "editor", "a")
    add_application("reports", "a")
    application = application_token("reports", "a")
    for method in METHODS:
        for token, query, count in (
            (alice.access_token, {}, 1),
            (alice.access_token, {"role": "editor"}, 1),
            (alice.access_token, {"scope": "a"}, 2),
            (application, {}, 1),
            (application, {"scope": "a"}, 1),
        ):
            assert len(statements(partial(verify, alice.http, token, method, **query))) == count, (query, method)


def test_verify_takes_one_statement_for_a_key_that_was_used_within_the_minute(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    key = person_key(alice)
    assert [sql.split()[0] for sql in statements(partial(verify, alice.http, key))] == ["SELECT", "UPDATE"]
    assert [sql.split()[0] for sql in statements(partial(verify, alice.http, key))] == ["SELECT"]


def test_verify_limits_made_up_keys_and_no_others(alice: Person) -> None:
    key = person_key(alice)
    made_up = key[:-7] + ("a" if key[-7] != "a" else "b") + key[-6:]
    statuses = [verify(alice.http, made_up).status_code for _ in range(MAX_PER_WINDOW + 1)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert_problem(verify(alice.http, made_up), 429, "too_many_attempts")
    assert verify(alice.http, key).status_code == 204
    ApiKey.objects.all().delete()
    assert verify(alice.http, key).status_code == 429


@pytest.mark.parametrize("method", METHODS)
def test_revoked_role_scope_key_and_application_are_refused_at_the_next_request(alice: Person, method: str) -> None:
    role, app = add_role(alice, "editor", "a"), add_application("reports", "a")
    key, token = person_key(alice, "a"), application_token("reports", "a")
    asked = {session: {"scope": "a"} for session in (alice.access_token, key, token)}
    assert [verify(alice.http, each, method, **query).status_code for each, query in asked.items()] == [204] * 3
    role.scopes.clear()
    app.scopes.clear()
    assert [verify(alice.http, each, method, **query).status_code for each, query in asked.items()] == [403] * 3
    app.is_active = False
    app.save()
    Role.objects.all().delete()
    ApiKey.objects.all().delete()
    assert [verify(alice.http, each, method).status_code for each in (key, token)] == [401, 401]


@pytest.mark.parametrize(
    "query", ["", "role=editor", "scope=a", "scope=a+b", "audience=x", "acr=aal2", "role=editor&x"]
)
def test_verify_answers_every_kind_of_token_alike_on_the_fast_path_and_through_django(
    alice: Person, query: str
) -> None:
    """HEAD is never on the fast path, and has the status and headers of GET."""
    add_role(alice, "editor", "a")
    app = add_application("reports", "a")
    for token in (
        *(alice.access_token, person_key(alice, "a"), application_key(app, "a"), application_token("reports", "a")),
        *(application_token("reports", "a", audience=["x"]), application_token("unknown", "a"), "x.y.z"),
    ):
        get, head = (
            alice.http.request(method, f"/api/verify/?{query}", headers=alice.bearer(token)) for method in METHODS
        )
        assert (get.status_code, dict(get.headers)) == (head.status_code, dict(head.headers))
