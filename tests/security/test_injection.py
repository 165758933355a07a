"""What stands beside the body, or in the place of a value, and must have no effect."""

import ast
import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.endpoints import ENDPOINTS, FIELDS, nothing_changes, send, valid_body
from tests.support.package_ast import find_calls

SQL = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "1; DROP TABLE latchkey_user",
    "'||pg_sleep(5)||'",
    "\\'; SELECT 1 --",
    "%' OR '%'='",
]
SEQUENCE = "SELECT has_sequence_privilege(pg_get_serial_sequence('latchkey_user', 'id'), 'UPDATE')"
QUERY = {"_connector": "OR 1=1", "email": "x", "callback": "f", "jsonp": "f", "format": "xml", "page_size": "1e400"}


@pytest.mark.ledger("ASVS-1.2.4", "CS-SESS-3")
@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_sql_in_a_field_is_text(alice: Person, name: str, field: str) -> None:
    began = time.monotonic()
    for text in SQL:
        answer = send(alice, name, valid_body(alice, name) | {field: text})
        if field == "refresh_token" or (field == "email" and name == "register"):
            assert_problem(answer, 400, "invalid", [field])
        elif name == "login":
            assert_problem(answer, 401, "invalid_credentials")
        elif name == "register":
            assert answer.status_code in (201, 400)
        else:
            assert answer.json()["username"] == text
    assert time.monotonic() - began < 5
    assert alice.me().status_code == 200


@pytest.mark.ledger("ASVS-1.2.4", "REG-DJANGO-28")
def test_sql_in_a_header_a_query_or_a_key_changes_nothing(alice: Person) -> None:
    mine = alice.me().content
    with nothing_changes():
        for text in SQL:
            headers = alice.bearer() | {
                "User-Agent": text,
                "X-Forwarded-For": text,
                "Cookie": f"sessionid={quote(text)}",
            }
            for key in ("_connector", "id", "email__startswith", "user_id", "order_by", text):
                answer = alice.http.get("/api/me/", params={key: text}, headers=headers)
                assert (answer.status_code, answer.content) == (200, mine)
            body = {"_connector": text, "email__startswith": "a", "password__gt": "", text: 1}
            assert_problem(send(alice, "login", body), 400, "invalid", ["email", "password"])
            assert_problem(alice.me(quote(text)), 401, "invalid_token")


@pytest.mark.ledger("ASVS-1.2.4")
def test_sql_is_written_by_hand_in_few_places_and_takes_values_as_parameters() -> None:
    written = {(file, ast.unparse(call)) for file, call in find_calls("execute") if not file.startswith("migrations/")}
    assert {entry for entry in written if entry[0] != "cli.py"} == {
        ("db/cursor.py", "cursor.execute(sql, parameters)"),
        ("web/views.py", "cursor.execute('SELECT 1')"),
        ("management/commands/migrate.py", "cursor.execute('SELECT pg_try_advisory_lock(%s)', [LOCK])"),
        (
            "import_export/bulk_insert.py",
            "cursor.execute(INSERT.format(columns=', '.join(columns), rows=rows), values)",
        ),  # %s, ...
        ("import_export/bulk_insert.py", "cursor.execute('LOCK TABLE latchkey_user IN SHARE ROW EXCLUSIVE MODE')"),
        ("import_export/bulk_insert.py", "cursor.execute(KEEP_AHEAD, {'highest': highest})"),
        ("import_export/bulk_insert.py", f"cursor.execute({SEQUENCE!r})"),
        (
            "import_export/django_source.py",
            "counting.execute(f'SELECT count(*) AS total FROM {quoted}')",
        ),  # a name, matched
        ("import_export/django_source.py", "counting.execute(f'SELECT * FROM {quoted} LIMIT 0')"),
        ("import_export/django_source.py", "reading.execute(READ.format(table=quoted))"),
    }
    assert {(file, ast.unparse(call)) for file, call in find_calls("fetch")} == {
        ("accounts/models.py", "fetch(BY_EMAIL, {'email': canonical(username or '')})"),
        ("rate_limits/attempts.py", "fetch(statement, parameters)"),
        ("audit/log.py", "fetch(ALONE, {**facts, 'event_user_id': user_id, 'event_session_id': session_id})"),
        (
            "audit/log.py",
            "fetch(ALONE, {**_facts(event, client, detail), 'event_user_id': user_id, 'event_session_id': session_id})",
        ),
        ("audit/log.py", "fetch(act, parameters)"),
        ("audit/log.py", "fetch(_in_one(act), {**parameters, **facts})"),
        ("sessions/models.py", "fetch(MAKE_ROOM, parameters)"),
        (
            "db/prepared.py",
            "fetch(self.sql, {n: adapted(v) if isinstance(v, datetime) else v for n, v in parameters.items()})",
        ),
        ("db/prepared.py", "self.statement.fetch(self.parameters)"),
        ("sessions/refresh.py", "question.fetch()"),
        ("sessions/refresh.py", "_rotation(spending, key).fetch()"),
        ("sessions/access_tokens.py", "question.fetch()"),
        ("web/fast_path/application.py", "lines.fetch(begun[1])"),
        ("oauth/models.py", "fetch(_KNOWN, {'digest': digest_of(secret), 'client_id': client_id})"),
        ("metrics_server/views.py", "fetch('SELECT 1', {})"),
        (
            "metrics_server/hourly_totals.py",
            "fetch(ADD.format(rows=rows), facts)",
        ),  # (%(hour)s, %(name0)s, %(count0)s), ...
        ("mail/queue.py", "fetch(_take(connection.vendor), {'now': adapted(now), 'until': adapted(until)})"),
    }
    assert {(file, ast.unparse(call.args[0])) for file, call in find_calls("done_and_kept")} == {
        ("sessions/models.py", "worded(OPEN, connection.vendor)"),
        ("sessions/models.py", "statement"),  # END_BY_ID and the like
    }
    assert {file for file, _ in find_calls("exec_prepared")} == {"db/prepared.py"}
    assert {file for file, _ in find_calls("send_query_prepared")} == {"db/async_connection.py"}
    assert {(file, ast.unparse(call)) for file, call in find_calls("prepare")} == {
        ("db/async_pool.py", "statement.prepare(database.connection.pgconn)"),
        ("db/prepared.py", "libpq.prepare(self.name, self.numbered)"),
        ("db/prepared.py", "self.prepare(libpq)"),
    }
    assert {file for file, _ in find_calls("Prepared")} == {"sessions/sql.py"}
    assert {(file, ast.unparse(call)) for file, call in find_calls("Question")} == {
        ("sessions/models.py", "Question(rotation(), parameters)"),
        (
            "sessions/models.py",
            "Question(BEARER, {'id': session_id, 'now': now})",
        ),
    }
    assert not find_calls("raw", "extra", "RawSQL", "executemany", "executescript", "callproc")


@pytest.mark.ledger("ASVS-15.3.7")
def test_only_the_body_counts(alice: Person, bob: Person) -> None:
    query = {"email": bob.email, "password": "x", "refresh_token": bob.refresh_token, "username": "query"}
    answer = alice.http.post("/api/login/", params=query, json={"email": alice.email, "password": PASSWORD})
    assert alice.me(answer.json()["access_token"]).json()["email"] == alice.email
    assert_problem(alice.http.post("/api/login/", params=query, json={}), 400, "invalid", ["email", "password"])
    assert_problem(alice.http.post("/api/refresh/", params=query), 400, "invalid", ["refresh_token"])
    alice.http.patch("/api/me/", params=query, json={"username": "body"}, headers=alice.bearer())
    assert alice.me().json()["username"] == "body"
    doubled = f'{{"email": "{bob.email}", "email": "{alice.email}", "password": "{PASSWORD}"}}'
    assert_problem(send(alice, "login", doubled.encode()), 400, "duplicate_key", ["body"])
    assert bob.try_refresh().status_code == 200


@pytest.mark.ledger("ASVS-3.5.6", "ASVS-1.2.3")
@pytest.mark.parametrize("path", ["/api/", "/api/me/", "/livez", "/readyz", "/api-doc/schema/"])
def test_no_answer_is_a_script(alice: Person, path: str) -> None:
    plain = alice.http.get(path, headers=alice.bearer())
    asked = alice.http.get(path, params=QUERY, headers=alice.bearer())
    assert asked.status_code == 200
    assert "script" not in asked.headers["Content-Type"]
    assert (asked.content, asked.headers["Content-Type"]) == (plain.content, plain.headers["Content-Type"])


@pytest.mark.ledger("ASVS-1.2.3")
@pytest.mark.parametrize("name", ['"quoted"', "\\", "</script><script>", "a\nb\tc", '","id":0,"x":"', "\u2028\u2029"])
def test_odd_text_comes_back_as_the_same_json(alice: Person, name: str) -> None:
    answer = alice.http.put("/api/me/", json={"username": name}, headers=alice.bearer())
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"id": alice.id, "username": name.strip(), "email": alice.email}
    assert alice.me().json()["username"] == name.strip()


@pytest.mark.ledger("ASVS-1.2.9")
@pytest.mark.parametrize(
    "pattern", [".*@.*", "^alice", "alice@example.co.", "[a-z]+@example.com", "%@%", "alice@example.___"]
)
def test_a_pattern_signs_nobody_in(alice: Person, pattern: str) -> None:
    answer = alice.http.post("/api/login/", json={"email": pattern, "password": PASSWORD})
    assert_problem(answer, 401, "invalid_credentials")


@pytest.mark.ledger("ASVS-13.4.4")
@pytest.mark.parametrize("path", ["/", "/api/", *{door.path: 0 for door in ENDPOINTS.values()}, "/api-doc/", "/livez"])
def test_trace_is_refused_and_echoes_nothing(alice: Person, path: str) -> None:
    headers = alice.bearer() | {"X-Echo": "an-echo", "Cookie": "sessionid=an-echo"}
    answer = alice.http.request("TRACE", path, headers=headers, content=b"an-echo")
    assert_problem(answer, 405, "method_not_allowed")
    assert "an-echo" not in answer.text + str(answer.headers)


@pytest.mark.ledger("REG-DJOSER-01")
def test_nobody_gets_round_a_backend_that_denies(alice: Person, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["tests.security.denying_backend.Denying"]
    with nothing_changes():
        answer = alice.http.post("/api/login/", json={"email": alice.email, "password": alice.password})
        assert_problem(answer, 401, "invalid_credentials")
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    assert alice.login().me().status_code == 200
