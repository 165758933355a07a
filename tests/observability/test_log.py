"""The production log: one JSON object per line for any input, without passwords and tokens."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from django.test import override_settings

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.telemetry.logging import logging_config
from latchkey.telemetry.request_log import request_log
from tests.fixtures.database import DatabaseDown
from tests.people import PASSWORD, Person
from tests.support.captured_log import CapturedLog
from tests.support.endpoints import ENDPOINTS, send
from tests.support.forged_tokens import forge

HOSTILE = 'a\n{"event": "forged"}\r\x1b[31m\u2028\u2029\x00\x85%s%n{0.__class__}\x7f'
AUDITED = {str(event) for event in Event}


def audit_lines(log: CapturedLog) -> list[str]:
    return [line["event"] for line in log.lines() if line["event"] in AUDITED]


@pytest.mark.ledger("ASVS-16.2.1", "CS-SESS-7")
def test_refresh_log_line_has_user_session_ip_user_agent_status_and_duration(
    alice: Person, captured_log: CapturedLog
) -> None:
    alice.refresh()
    (line,) = captured_log.lines("session.refreshed")
    claims = jwt.decode(alice.access_token, options={"verify_signature": False})
    assert (line["level"], line["user_id"], line["session_id"]) == ("info", alice.id, claims["sid"])
    assert (line["ip"], line["user_agent"]) == ("127.0.0.1", alice.http.headers["User-Agent"])
    assert (line["request"], line["code"]) == ("POST /api/refresh/", 200)
    assert line["milliseconds"] > 0
    assert [other for other in captured_log.lines() if other["request_id"] == line["request_id"]] == [line]


def test_request_log_has_a_separate_line_for_a_5xx_after_an_audit_event(captured_log: CapturedLog) -> None:
    with request_log("POST", "/api/login/") as answered:
        record(Event.LOGIN_SUCCEEDED, user_id=1, persisted=True)
        answered.status = 503
    assert [(line["event"], line["level"], line.get("code")) for line in captured_log.lines()] == [
        ("login.succeeded", "info", None),
        ("request_finished", "error", 503),
    ]


@pytest.mark.ledger("ASVS-16.2.2")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_log_timestamps_are_utc_in_any_server_time_zone(alice: Person, captured_log: CapturedLog, zone: str) -> None:
    with override_settings(TIME_ZONE=zone):
        alice.refresh()
    for line in captured_log.lines():
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
        assert line["timestamp"].endswith("Z")


@pytest.mark.ledger("ASVS-16.2.4", "ASVS-16.4.1", "ASVS-1.3.10")
def test_log_escapes_hostile_input_into_one_line_per_request(alice: Person, captured_log: CapturedLog) -> None:
    headers = {"User-Agent": re.sub(r"[\r\n\x00\u0080-\uffff]", "", HOSTILE), "X-Request-ID": "x{0}%s"}
    as_wsgi_has_it = HOSTILE.encode().decode("latin-1")
    alice.http.get("/" + quote(as_wsgi_has_it), headers=headers)
    for name in ENDPOINTS:
        send(alice, name, dict.fromkeys(ENDPOINTS[name].fields, HOSTILE), **headers)
    login = {"email": "%s%s%n{0.__class__}@example.com", "password": HOSTILE.replace("\x00", "")}
    assert alice.http.post("/api/login/", json=login, headers=headers).status_code == 401
    assert audit_lines(captured_log) == ["login.failed"]
    assert len(captured_log.lines()) == 8
    assert captured_log.lines("request_finished")[0]["request"] == f"GET /{HOSTILE}"
    assert {line["event"] for line in captured_log.lines()} == {"request_finished", "login.failed"}
    assert not re.search(r"[^\x20-\x7e\n]|<class", captured_log.text)


@pytest.mark.ledger("ASVS-16.2.5", "ASVS-10.1.1", "ASVS-14.2.1")
def test_log_contains_no_passwords_or_tokens(
    alice: Person, captured_log: CapturedLog, admin: Any, database_down: DatabaseDown, set_policy: Callable[..., None]
) -> None:
    secrets = {PASSWORD, quote(PASSWORD), alice.access_token, alice.refresh_token}
    set_policy(retry_window=timedelta(0))
    for _ in range(3):
        alice.refresh()
        secrets |= {alice.access_token, alice.refresh_token}
    forged = forge(alice, exp=1)
    query = f"access_token={alice.access_token}&refresh_token={alice.refresh_token}&password={quote(PASSWORD)}"
    for path in ("/api/login/", "/api/refresh/", "/api/me/", "/nothing", "/admin/login/"):
        answer = alice.http.request("GET" if "me" in path else "POST", f"{path}?{query}", json={})
        assert answer.status_code in (400, 401, 403, 404)
    alice.me(forged)
    alice.http.post("/api/login/", json={"email": alice.email, "password": f"{PASSWORD}?"})
    alice.http.post("/api/login/", content=f'{{"password": "{PASSWORD}"')
    with database_down():
        alice.try_refresh()
    alice.try_refresh(alice.spent[0])
    alice.logout()
    assert {"session.refreshed", "session.replayed", "login.failed", "database.unavailable"} <= {
        line["event"] for line in captured_log.lines()
    }
    verifiers = {token.rpartition("-")[2] for token in secrets if len(token) == 36}
    signatures = {token.rpartition(".")[2] for token in (*secrets, forged) if token.count(".") == 2}
    assert len(verifiers) == len(signatures) - 1 == 4
    found = [secret for secret in secrets | verifiers | signatures | {forged} if secret in captured_log.text]
    assert found == []


@pytest.mark.ledger("ASVS-16.2.3")
@pytest.mark.parametrize("production", [True, False])
def test_log_is_configured_for_standard_output_only(production: bool) -> None:
    configured = logging_config(production)
    assert list(configured["handlers"]) == ["rendered", "stdout"]
    for handler in configured["handlers"].values():
        assert (handler["class"], handler["stream"]) == ("logging.StreamHandler", "ext://sys.stdout")
    assert configured["root"] == {"handlers": ["stdout"], "level": "INFO"}
    named = {name: logger["handlers"] for name, logger in configured["loggers"].items() if "handlers" in logger}
    assert named == {"latchkey": ["rendered"], "django.server": ["stdout"]}


@pytest.mark.ledger("ASVS-10.4.5")
def test_refresh_token_reuse_is_logged_as_one_event_with_its_user(alice: Person, captured_log: CapturedLog) -> None:
    rotated = alice.refresh_token
    alice.refresh().refresh()
    alice.try_refresh(rotated)
    (line,) = captured_log.lines("session.replayed")
    assert line["user_id"] == alice.id
    assert audit_lines(captured_log) == ["session.refreshed", "session.refreshed", "session.replayed"]


@pytest.mark.ledger("ASVS-16.3.2")
def test_log_has_a_warning_for_each_401_and_403_response(
    alice: Person, captured_log: CapturedLog, staff: Callable[..., Any]
) -> None:
    alice.me("x")
    staff("view_user").get("/admin/constance/config/")
    refused = [(line["request"], line["code"], line["level"]) for line in captured_log.lines("request_finished")]
    assert ("GET /api/me/", 401, "warning") in refused
    assert ("GET /admin/constance/config/", 403, "warning") in refused


@pytest.mark.ledger("ASVS-16.3.4")
def test_database_outage_is_logged_with_the_request_id_and_without_traceback(
    alice: Person, captured_log: CapturedLog, database_down: DatabaseDown
) -> None:
    with database_down():
        assert alice.try_refresh().status_code == 503
    lines = [line for line in captured_log.lines("database.unavailable") if line["level"] == "error"]
    assert lines
    assert {line["request_id"] for line in lines} == {captured_log.lines("request_finished")[-1]["request_id"]}
    assert "Traceback" not in captured_log.text
