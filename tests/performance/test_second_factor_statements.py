"""Budgets of SQL statements with second factors: accounts without one pay nothing for those that have one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
import time_machine
from django.db import connection

from latchkey.accounts.models import User
from latchkey.core import clock as clocks
from latchkey.factors.models import TOTP_ENCRYPTION, RecoveryCode, TotpSecret
from latchkey.sessions.models import Session
from tests.passkeys.requests import add, begin
from tests.people import Person, try_login
from tests.second_factors import enrol, try_second_factor
from tests.support.software_authenticator import SoftwareAuthenticator

Statements = Callable[[Callable[[], Any]], list[str]]
ACCOUNTS = 1_000
PASSKEY_OPTIONS = "/api/login/second-factor/passkey/"


@pytest.fixture
def crowd(db: None) -> None:
    """A thousand accounts, of which every second one has an authenticator app and recovery codes."""
    users = [User(email=f"person{n}@example.com", second_factors=n % 2) for n in range(ACCOUNTS)]
    User.objects.bulk_create(users)
    enrolled = [user for user in User.objects.order_by("pk") if user.second_factors]
    secret, now = TOTP_ENCRYPTION.encrypt(b"a secret of 20 bytes"), clocks.now()
    TotpSecret.objects.bulk_create(TotpSecret(user=user, secret=secret, confirmed_at=now) for user in enrolled)
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=bytes([n]) * 32) for user in enrolled for n in range(10)
    )


def on_sqlite(more: int) -> int:
    """Return how many more statements SQLite takes, which has no round trips to save."""
    return more if connection.vendor == "sqlite" else 0


@pytest.mark.usefixtures("crowd")
def test_account_without_a_factor_pays_nothing_for_those_that_have_one(alice: Person, statements: Statements) -> None:
    alice.login()  # what is loaded once
    assert len(statements(alice.login)) == 4 + on_sqlite(1)
    assert len(statements(alice.refresh)) == 1
    assert len(statements(alice.me)) == 1


@pytest.mark.usefixtures("crowd")
def test_each_step_of_a_sign_in_with_a_factor_stays_within_its_budget(
    clock: time_machine.Traveller, http: httpx.Client, alice: Person, statements: Statements
) -> None:
    enrolled, phone = enrol(alice), SoftwareAuthenticator()
    add(alice, phone)
    enrolled.try_second_factor(enrolled.ticket(), recovery_code=enrolled.recovery_codes[0])  # what is loaded once
    assert len(statements(partial(try_login, http))) == 7

    def second_factor(**answer: Any) -> int:
        return len(statements(partial(try_second_factor, http, tickets.pop(), **answer)))

    tickets = [enrolled.ticket() for _ in range(4)]
    assert second_factor(code="000000") == 7
    assert second_factor(code=enrolled.app.code()) == 10 + on_sqlite(1)
    assert second_factor(recovery_code=enrolled.recovery_codes[1]) == 11 + on_sqlite(1)
    assert len(statements(partial(http.post, PASSKEY_OPTIONS, json={"ticket": tickets[0]}))) == 4
    options = http.post(PASSKEY_OPTIONS, json={"ticket": tickets[0]}).json()["options"]
    assert second_factor(passkey=phone.get(options)) == 11 + on_sqlite(1)
    assert Session.objects.filter(user=alice.id).count() == 5  # each right answer has opened one
    assert len(statements(alice.refresh)) == 1
    assert len(statements(alice.me)) == 1


@pytest.mark.usefixtures("crowd")
def test_sign_in_with_a_passkey_alone_stays_within_its_budget(
    http: httpx.Client, alice: Person, statements: Statements
) -> None:
    phone = SoftwareAuthenticator()
    add(alice, phone)
    assert len(statements(partial(begin, http))) == 1
    begun = begin(http)
    body = {"ticket": begun["ticket"], "passkey": phone.get(begun["options"])}
    assert len(statements(partial(http.post, "/api/login/passkey/", json=body))) == 8 + on_sqlite(1)
