"""docs/security.md matches the code: lifetimes, keys, secrets, data classification, events, limits and timeouts."""

import ast
import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from latchkey.accounts.models import User
from latchkey.api_keys.models import ApiKey
from latchkey.applications.models import Application, ClientCredential
from latchkey.audit.events import Event
from latchkey.audit.models import AuditEvent
from latchkey.authorization.models import Role, Scope, UserRole
from latchkey.conf.database import apply_timeouts, parse_database_url
from latchkey.conf.email import TIMEOUT
from latchkey.conf.policy import Policy
from latchkey.db.probe import PROBE_SECONDS
from latchkey.email_codes.models import OneTimeCode
from latchkey.email_codes.one_time_codes import MAX_FAILURES, MAX_VALID
from latchkey.factors.delayed_recovery import FactorRecovery
from latchkey.factors.models import RecoveryCode, TotpSecret
from latchkey.factors.tickets import Ticket
from latchkey.hashing.argon2 import Argon2idPasswordHasher
from latchkey.hashing.queue import MAX_CONCURRENT, MAX_QUEUED
from latchkey.idempotency.models import IdempotencyKey
from latchkey.mail.models import Mail
from latchkey.mail.smtp import MAIL_FACTOR
from latchkey.management.commands.serve import DRAIN_SECONDS
from latchkey.metrics_server.listener import CONNECTION_SECONDS
from latchkey.metrics_server.models import HourlyCount
from latchkey.passkeys.models import Passkey
from latchkey.rate_limits.attempts import FACTOR_FAILURES, LOCKOUT_AFTER, MAILS_PER_ACCOUNT
from latchkey.rate_limits.in_memory import MAX_PER_WINDOW
from latchkey.rate_limits.models import Attempt
from latchkey.server.answer_deadline import ANSWER_SECONDS
from latchkey.server.request_body import BODY_TIMEOUT
from latchkey.server.rsgi import MAIL_DRAIN_SECONDS
from latchkey.server.unread_responses import UNREAD_SECONDS
from latchkey.sessions.models import Session
from latchkey.signing_keys.models import SigningKey
from latchkey.tokens.access_token import ALGORITHM
from latchkey.tokens.authentication_methods import Authentication, Proof
from latchkey.tokens.jwk import ALGORITHMS, RSA_BITS
from tests.people import Person
from tests.support.package_ast import PACKAGE, environment_variables, find_calls, walk_nodes
from tests.support.security_notes import PAGE, code_spans, first_column_code_spans, read_table

POLICY_SETTINGS = {policy_field.name.upper(): policy_field for policy_field in fields(Policy)}


@pytest.mark.ledger("ASVS-7.1.1", "ASVS-7.1.2")
def test_security_page_documents_the_default_session_lifetimes() -> None:
    documented = {code_spans(setting)[0]: default for _, setting, default, _ in read_table("Session lifetimes")}
    timed = {
        name
        for name, policy_field in POLICY_SETTINGS.items()
        if policy_field.metadata["group"] in ("Tokens", "Sessions")
    }
    assert documented == {name: str(POLICY_SETTINGS[name].default) for name in timed}
    assert settings.SESSION_COOKIE_AGE == 8 * 3600
    assert "lasts 8 hours" in PAGE.read_text()


@pytest.mark.hashing
@pytest.mark.ledger("ASVS-11.1.1", "ASVS-11.1.2")
def test_security_page_inventory_lists_every_key_and_algorithm() -> None:
    rows = read_table("Keys and algorithms")
    inventory = {code_spans(name)[0] if code_spans(name) else name: algorithm for name, algorithm, *_ in rows}
    named = [call.args[0] for _, call in find_calls("derive_keys", "Encryptor")]
    purposes = {name.value for name in named if isinstance(name, ast.Constant)}
    hashers = {import_string(path).algorithm for path in settings.PASSWORD_HASHERS}
    others = {"secret key", "admin cookie", "service secrets", "API keys"}
    assert set(inventory) == purposes | hashers | {*ALGORITHMS, *others}
    assert inventory["access token"].startswith(ALGORITHM)
    assert {code_spans(name)[0]: size for name, *_, size in rows if "`" in name}["RS256"] == f"{RSA_BITS} bits"
    ours = Argon2idPasswordHasher
    parameters = f"m={ours.memory_cost}, t={ours.time_cost}, p={ours.parallelism}"
    assert inventory["argon2"] == f"Argon2id, {parameters}"


@pytest.mark.ledger("ASVS-13.1.4", "ASVS-11.1.1")
def test_security_page_gives_each_secret_an_owner_and_a_rotation() -> None:
    read = environment_variables()
    secrets = {name for name in read if re.search(r"SECRET|PASSWORD|DATABASE_URL|EMAIL_URL", name)}
    rows = read_table("Keys and algorithms", 1)
    assert {code for row in rows for code in code_spans(row[1]) if code.isupper()} == secrets
    assert all(all(row) for row in rows)


@pytest.mark.ledger("ASVS-14.1.1", "ASVS-14.1.2")
def test_security_page_classifies_every_column_and_claim(alice: Person) -> None:
    columns = {f"user.{field.name}" for field in (*User._meta.fields, *User._meta.many_to_many)}
    columns |= {f"session.{field.name}" for field in Session._meta.fields}
    columns |= {f"signing_key.{field.name}" for field in SigningKey._meta.fields}
    columns |= {f"attempt.{field.name}" for field in Attempt._meta.fields}
    columns |= {f"clientcredential.{field.name}" for field in ClientCredential._meta.fields}
    columns |= {f"application.{field.name}" for field in (*Application._meta.fields, *Application._meta.many_to_many)}
    columns |= {f"scope.{field.name}" for field in Scope._meta.fields}
    columns |= {f"event.{field.name}" for field in AuditEvent._meta.fields}
    columns |= {f"mail.{field.name}" for field in Mail._meta.fields}
    columns |= {f"code.{field.name}" for field in OneTimeCode._meta.fields}
    columns |= {f"ticket.{field.name}" for field in Ticket._meta.fields}
    columns |= {f"totp.{field.name}" for field in TotpSecret._meta.fields}
    columns |= {f"factorrecovery.{field.name}" for field in FactorRecovery._meta.fields}
    columns |= {f"recoverycode.{field.name}" for field in RecoveryCode._meta.fields}
    columns |= {f"passkey.{field.name}" for field in Passkey._meta.fields}
    columns |= {f"role.{field.name}" for field in (*Role._meta.fields, *Role._meta.many_to_many)}
    columns |= {f"userrole.{field.name}" for field in UserRole._meta.fields}
    columns |= {f"apikey.{field.name}" for field in ApiKey._meta.fields}
    columns |= {f"idempotencykey.{field.name}" for field in IdempotencyKey._meta.fields}
    columns |= {f"hourlycount.{field.name}" for field in HourlyCount._meta.fields}
    claims = jwt.decode(alice.access_token, options={"verify_signature": False})
    claims |= Authentication(Proof.PASSWORD | Proof.TOTP, 0).claims
    claims |= dict.fromkeys(("roles", "claims", "client_id", "scope"))
    named = first_column_code_spans("Data classification")
    assert sorted(named) == sorted(columns | {f"claim.{name}" for name in claims})
    assert all(all(row) for row in read_table("Data classification"))
    assert {row[1] for row in read_table("Data classification")} == {
        "personal",
        "secret",
        "internal",
        "authority",
        "public",
    }


@pytest.mark.ledger("ASVS-16.1.1")
def test_security_page_lists_every_log_event() -> None:
    levels = ("error", "warning", "info", "critical", "exception")
    own = {ast_event for file, call in find_calls(*levels) for ast_event in event_names(call)}
    framework = {"request_finished", "request_failed"}
    assert sorted(first_column_code_spans("Log events")) == sorted({*map(str, Event), *own, *framework})


@pytest.mark.ledger("ASVS-2.1.3", "ASVS-6.1.1")
def test_security_page_lists_every_rate_limit_with_its_default() -> None:
    written = {code_spans(row[2])[0]: row[3] for row in read_table("Rate limits") if code_spans(row[2])}
    limit_settings = [name for name in (policy_field.name for policy_field in fields(Policy)) if "_per_" in name]
    assert written == {name.upper(): str(getattr(Policy(), name)) for name in limit_settings}
    without_setting = {row[0]: row[3] for row in read_table("Rate limits") if not code_spans(row[2])}
    assert without_setting == {
        "failed sign-ins in a row": str(LOCKOUT_AFTER),
        "mails requested for an address: reset, verification, change": str(MAILS_PER_ACCOUNT),
        "wrong one-time passwords of a second factor": str(FACTOR_FAILURES),
        "wrong recovery codes": str(FACTOR_FAILURES),
        "links and codes of one user for one purpose": str(MAX_VALID),
        "tickets for a sign-in with a passkey": f"{MAX_PER_WINDOW} in a minute",
        "made-up tokens of links": f"{MAX_PER_WINDOW} in a minute",
        "made-up refresh tokens and API keys, and wrong client credentials": f"{MAX_PER_WINDOW} in a minute",
    }
    assert f"{MAX_FAILURES} wrong codes invalidate all codes sent so far" in PAGE.read_text()
    assert f"| {MAX_CONCURRENT} at once in each process and {MAX_QUEUED} that wait" in PAGE.read_text()


def event_names(call: ast.Call) -> list[str]:
    """Return the event name of a log call in a list: its first argument, if that is text."""
    first = call.args[0] if call.args else None
    text = getattr(first, "value", None)
    return [text] if isinstance(text, str) else []


@pytest.mark.ledger("ASVS-13.1.1", "ASVS-1.3.6")
def test_security_page_lists_every_network_connection() -> None:
    ours = [row[1] for row in read_table("Network connections") if row[0] == "`latchkey`"]
    assert ours == [
        "the SQLite file, or PostgreSQL (port 5432)",
        "standard output",
        "your mail server, if one is set",
        "your OpenTelemetry collector, if one is set",
    ]
    imported = {name.name for _, node in walk_nodes() for name in getattr(node, "names", []) if hasattr(name, "asname")}
    assert not imported & {"requests", "httpx", "urllib.request", "http.client", "urlopen", "send_mail"}


@pytest.mark.ledger("ASVS-13.1.3")
def test_security_page_documents_every_timeout() -> None:
    documented = {
        (code_spans(row[0]) or ["sqlite"])[0]: row[1].partition(",")[0] for row in read_table("Network connections", 1)
    }
    postgresql, sqlite = parse_database_url("postgresql://h/d"), parse_database_url("sqlite:///x")
    for database in (postgresql, sqlite):
        apply_timeouts(database)
    limits = dict(re.findall(r"(\w+_timeout)=(\d+)s", postgresql["OPTIONS"]["options"]))
    limits |= {"connect_timeout": postgresql["OPTIONS"]["connect_timeout"], "sqlite": sqlite["OPTIONS"]["timeout"]}
    limits["tcp_user_timeout"] = postgresql["OPTIONS"]["tcp_user_timeout"] // 1000
    limits |= {"timeout": TIMEOUT, "MAIL_FACTOR": MAIL_FACTOR * TIMEOUT, "MAIL_DRAIN_SECONDS": MAIL_DRAIN_SECONDS}
    limits |= {"ANSWER_SECONDS": int(ANSWER_SECONDS), "ANSWER_TIMEOUT": int(postgresql["ANSWER_TIMEOUT"])}
    limits |= {"BODY_TIMEOUT": BODY_TIMEOUT, "UNREAD_SECONDS": UNREAD_SECONDS}
    limits |= {"CONNECTION_SECONDS": int(CONNECTION_SECONDS)}
    limits |= {"PROBE_SECONDS": int(PROBE_SECONDS), "RES_OPTIONS": os.environ["RES_OPTIONS"].split(":")[1][0]}
    assert documented == {name: f"{seconds} s" for name, seconds in limits.items()}
    assert f"{DRAIN_SECONDS} s to finish" in PAGE.read_text()


@pytest.mark.ledger("ASVS-14.3.3", "CS-SESS-8")
def test_pages_store_no_token_and_the_security_page_says_where_clients_store_theirs() -> None:
    scripts = "".join(path.read_text() for path in Path(PACKAGE, "static").rglob("*.js"))
    assert "localStorage" not in scripts
    assert "document.cookie" not in scripts
    assert "refresh_token" not in scripts
    swagger_ui: Any = settings.SPECTACULAR_SETTINGS["SWAGGER_UI_SETTINGS"]
    assert swagger_ui["persistAuthorization"] is False
    page = " ".join(PAGE.read_text().split())
    assert "in a browser in the `HttpOnly` cookie of a [browser session](browser-sessions.md)" in page
    assert "`localStorage` is readable by every script of the origin" in page
