"""Asking for a mail tells nobody who has an account: equal answers after equal work.

Time is not measured here but what takes it is counted; `bench/timing_reset.py` measures.
"""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from latchkey.accounts.models import User
from latchkey.conf import policy
from latchkey.email_codes.models import OneTimeCode
from latchkey.hashing.argon2 import Argon2idPasswordHasher
from latchkey.mail.models import Mail
from tests.people import PASSWORD, Person
from tests.security.test_user_enumeration_login import whole_response
from tests.support.hashing_cost import measure_hashing

FULL = Argon2idPasswordHasher.memory_cost * Argon2idPasswordHasher.time_cost
NOBODY = "nobody@example.com"
ENDPOINTS = {
    "reset": ("/api/password/reset/", 0),
    "resend": ("/api/email/verify/resend/", 0),
    "register": ("/api/register/", FULL),
}


SAVEPOINT_ENDINGS = {"RELEASE": "end of a savepoint", "ROLLBACK": "end of a savepoint"}


def measure_request(http: httpx.Client, path: str, email: str) -> tuple[Any, list[str], int]:
    """Return the whole answer, what the database was told less the values, and what was hashed."""
    policy.clear_cache()
    policy.current_policy()
    with CaptureQueriesContext(connection) as captured, measure_hashing() as argon2:
        answer = http.post(path, json={"email": email, "password": PASSWORD})
    told = [re.sub(r"\W+|s\d+_x\d+", " ", query["sql"]).split()[:3] for query in captured.captured_queries]
    return whole_response(answer), [SAVEPOINT_ENDINGS.get(sql[0], " ".join(sql)) for sql in told], argon2.cost


@pytest.mark.ledger("CS-FP-1")
@pytest.mark.parametrize(("path", "hashed"), list(ENDPOINTS.values())[:2], ids=list(ENDPOINTS)[:2])
@pytest.mark.parametrize("column", [{}, {"is_active": False}, {"password": "!"}, {"is_staff": True}])
def test_asking_for_a_mail_does_the_same_for_every_address(
    alice: Person, path: str, hashed: int, column: dict[str, Any]
) -> None:
    User.objects.filter(pk=alice.id).update(**column)
    hers, nobodys = measure_request(alice.http, path, alice.email), measure_request(alice.http, path, NOBODY)
    assert hers == nobodys
    assert (hers[0][0], hers[2]) == (202, hashed)
    assert [sql.split()[0] for sql in hers[1]].count("INSERT") >= 3  # the counters, the code, the mail
    assert Mail.objects.count() == OneTimeCode.objects.count() == (0 if column.get("is_active") is False else 1)


def test_registering_hashes_and_writes_for_an_address_that_is_taken_too(
    alice: Person, bob: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    User.objects.filter(pk=bob.id).update(is_active=False)
    path, hashed = ENDPOINTS["register"]
    (fresh, of_fresh, a), (taken, of_taken, b), (inactive, of_inactive, c) = (
        measure_request(alice.http, path, email) for email in (NOBODY, alice.email, bob.email)
    )
    assert fresh == taken == inactive
    assert a == b == c == hashed
    assert of_taken == of_inactive
    assert len(of_fresh) == len(of_taken)  # it keeps an event, where the others end their savepoint in two statements
    assert Mail.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "shown"), [("/api/password/reset/confirm/", {"new_password": "x" * 20}), ("/api/email/verify/", {})]
)
def test_a_wrong_code_costs_the_same_whoever_it_is_for(alice: Person, path: str, shown: dict[str, str]) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    told = []
    for email in (alice.email, NOBODY):
        with CaptureQueriesContext(connection) as captured, measure_hashing() as argon2:
            answer = alice.http.post(path, json={"email": email, "code": "0000-0000", **shown})
        told.append((answer.status_code, answer.content, len(captured), argon2.cost))
    assert told[0] == told[1]
    assert (told[0][0], told[0][3]) == (400, 0)
