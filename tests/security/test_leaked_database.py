"""A leaked database signs nobody in: no column contains a token, a password, a code or the cookie of the admin area."""

import json
import re
from base64 import b32decode
from http.cookies import SimpleCookie
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.contrib.sessions.models import Session as AdminSession
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from time_machine import Traveller

from latchkey.accounts.models import User
from latchkey.admin.session_store import SessionStore
from latchkey.factors.models import TotpSecret
from latchkey.sessions.models import Session
from latchkey.sign_in.browser_steps import ENCRYPTION as STEP_ENCRYPTION
from latchkey.sign_in.browser_steps import ENTRY as STEP
from latchkey.sign_in.browser_steps import SignInStep
from tests.account_pages.visitor import Visitor
from tests.api_keys.requests import create as create_key
from tests.api_keys.requests import create_application, create_of_application
from tests.factors.apps import add_app, request_ticket
from tests.oauth.conftest import run_services_command
from tests.outbox import last_code_mail
from tests.passkeys.requests import add, begin, try_options
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.second_factors import enrol
from tests.support.admin_pages import Browser, sign_in
from tests.support.software_authenticator import SoftwareAuthenticator, decode


def every_value() -> list[Any]:
    """Return the value of every column of every row of every table."""
    values: list[Any] = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values += [value for row in cursor.fetchall() for value in row]
    return [bytes(value) if isinstance(value, memoryview) else value for value in values]


@pytest.mark.ledger("RFC9700-4.14-1", "RFC9700-4.9-1", "NIST-3.1.1.2-16")
def test_database_columns_contain_no_token_or_password(alice: Person) -> None:
    alice.refresh().login().refresh()
    values = every_value()
    text = "\n".join(str(value) for value in values)
    raw = b"\n".join(value for value in values if isinstance(value, bytes))
    assert alice.email in text
    for token in (*alice.spent, alice.refresh_token):
        known = UUID(token)
        assert known.int not in values
        assert not any(form in text.lower() for form in (token, known.hex, str(known.int), known.hex[16:]))
        assert known.bytes not in raw
        assert known.bytes[8:] not in raw
    assert alice.access_token.rpartition(".")[2] not in text
    assert PASSWORD not in text


@pytest.mark.ledger("H-UUID-08")
def test_stored_digests_are_not_accepted_as_tokens(alice: Person) -> None:
    session = Session.objects.get()
    for digest in (bytes(session.digest), bytes(session.next_digest)):
        assert_problem(alice.try_refresh(str(UUID(bytes=digest[:16]))), 401, "invalid_refresh_token")
        assert_problem(alice.try_refresh(digest.hex()), 400, "invalid", ["refresh_token"])
        assert_problem(alice.me(digest.hex()), 401, "invalid_token")
    assert alice.me().status_code == alice.try_refresh().status_code == 200


def written_forms(values: list[Any]) -> str:
    """Return all values as text: bytes as they are, in hexadecimal and in UTF-8, in lower case, without hyphens."""
    texts = [str(value) for value in values if not isinstance(value, bytes)]
    texts += [form for value in values if isinstance(value, bytes) for form in (value.hex(), value.decode("latin-1"))]
    return "\n".join(texts).lower().replace("-", "")


def test_no_column_contains_a_secret_that_was_handed_out(alice: Person, settings: Any) -> None:
    settings.MAIL_SERVER = {}  # mails are queued, not sent
    http, secrets = alice.http, [PASSWORD, alice.refresh_token, alice.access_token.rpartition(".")[2]]
    http.post("/api/password/reset/", json={"email": alice.email})
    reset = last_code_mail(alice.email)
    change = {"email": "alice@example.org", "password": PASSWORD}
    http.post("/api/email/change/", json=change, headers=alice.bearer())
    moved = last_code_mail("alice@example.org")
    secrets += [reset.token, reset.code, moved.token, moved.code, run_services_command("add", "payments").split()[-1]]
    call_command("applications", "add", "orders", stdout=(printed := StringIO()))
    secrets.append(printed.getvalue().split()[-1])
    secrets += [create_key(alice)["key"], create_of_application(create_application("billing"))]
    app = add_app(alice)
    secrets += [app.secret, b32decode(app.secret).hex(), *app.recovery_codes, request_ticket(alice)]
    User.objects.create_superuser("root@example.com", PASSWORD)
    cookies = sign_in("root@example.com").cookies
    secrets += [cookies["sessionid"].value, cookies["csrftoken"].value]
    stored = written_forms(every_value())
    assert alice.email in stored.replace("@examplecom", "@example.com")
    assert [secret for secret in secrets if secret.lower().replace("-", "") in stored] == []


def test_no_column_contains_a_secret_of_a_second_factor(clock: Traveller, alice: Person, set_policy: Any) -> None:
    """After a whole life: enrolments, sign-ins, recovery, passkeys, and steps that are only half done."""
    enrolled, phone, http = enrol(alice), SoftwareAuthenticator(), alice.http
    used, *unused = enrolled.recovery_codes
    tickets = [enrolled.ticket() for _ in range(3)]
    assert enrolled.try_second_factor(tickets[0], recovery_code=used).status_code == 200
    assert enrolled.try_second_factor(tickets[1], code=enrolled.app.code()).status_code == 200
    add(alice, phone)
    renewed = http.post("/api/me/recovery-codes/", headers=alice.bearer()).json()["recovery_codes"]
    ceremonies = [try_options(alice).json(), begin(http)]
    ceremonies.append(http.post("/api/step-up/passkey/", headers=alice.bearer()).json())
    tickets += [enrolled.ticket(), *(ceremony["ticket"] for ceremony in ceremonies)]
    bob = Person(http, "bob@example.com").register().login()
    pending = http.post("/api/me/totp/", headers=bob.bearer()).json()["secret"]
    on_page = Visitor(http)
    on_page.sign_in(bob.email)
    on_page.open("/account/security/authenticator/")
    on_page.submit(action="/account/security/authenticator/")
    User.objects.create_superuser("root@example.com", PASSWORD)
    set_policy(second_factor="required_for_staff")
    step = kept_step(sign_in("root@example.com"))
    apps = [enrolled.app.secret, pending, secret_on(on_page), step.secret]
    values = [*every_value(), *decoded_browser_sessions()]
    stored, raw = written_forms(values), b"\n".join(value for value in values if isinstance(value, bytes))
    written = [*apps, *unused, used, *renewed, *tickets, step.ticket, *(b32decode(app).hex() for app in apps)]
    assert [secret for secret in written if secret.lower().replace("-", "") in stored] == []
    assert [secret for secret in apps if b32decode(secret) in raw] == []
    assert decode(ceremonies[1]["options"]["challenge"]) in raw  # which is no secret: whoever asks is told it
    assert TotpSecret.objects.count() == 3  # that of the page replaced the one before


def decoded_browser_sessions() -> list[str]:
    """Return what the rows of browser sessions have, which are in base64."""
    decoded = [SessionStore().decode(row.session_data) for row in AdminSession.objects.all()]
    assert any(STEP in session for session in decoded)
    return [str(session) for session in decoded]


def kept_step(browser: Browser) -> SignInStep:
    """Return the step of a sign-in that goes on in a browser, with its ticket, as only the server can read it."""
    stored = SessionStore(browser.cookies["sessionid"].value)[STEP]
    plain = STEP_ENCRYPTION.decrypt(stored.encode())
    assert plain is not None
    return SignInStep(*json.loads(plain))


def secret_on(visitor: Visitor) -> str:
    (secret,) = re.findall(r"[?&;]secret=([A-Z2-7]{32})", visitor.page.answer.text)
    return str(secret)


def with_cookie(session_key: str) -> Browser:
    browser = Browser()
    browser.cookies = SimpleCookie({"sessionid": session_key})
    return browser


def test_name_of_an_admin_session_row_is_not_accepted_as_a_cookie(db: None) -> None:
    User.objects.create_superuser("root@example.com", PASSWORD)
    cookie = sign_in("root@example.com").cookies["sessionid"].value
    row = AdminSession.objects.get()
    assert with_cookie(cookie).get("/admin/").status_code == 200
    assert with_cookie(row.session_key).get("/admin/").status_code == 302


def test_admin_session_lasts_while_the_secret_key_is_replaced_and_can_be_ended(db: None, settings: Any) -> None:
    User.objects.create_superuser("root@example.com", PASSWORD)
    cookie = sign_in("root@example.com").cookies["sessionid"].value
    replaced = {"SECRET_KEY": "n" * 64, "SECRET_KEY_FALLBACKS": [settings.SECRET_KEY]}
    with override_settings(**replaced):
        browser = with_cookie(cookie)
        assert browser.get("/admin/").status_code == 200
        browser.post("/admin/logout/")
        assert with_cookie(cookie).get("/admin/").status_code == 302
    assert not AdminSession.objects.exists()
