"""No user enumeration by requests for a mail: equal responses after an equal amount of work.

Work is counted here (hashing cost and SQL statements), as times vary; `bench/timing_reset.py` measures times.
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

pytestmark = pytest.mark.hashing

FULL = Argon2idPasswordHasher.memory_cost * Argon2idPasswordHasher.time_cost
UNKNOWN_EMAIL = "nobody@example.com"
ENDPOINTS = {
    "reset": ("/api/password/reset/", 0),
    "resend": ("/api/email/verify/resend/", 0),
    "register": ("/api/register/", FULL),
}


SAVEPOINT_ENDINGS = {"RELEASE": "end of a savepoint", "ROLLBACK": "end of a savepoint"}


@pytest.fixture(autouse=True)
def policy_stays_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the policy cached for a minute: a slow machine must not read it anew in the middle of a request."""
    monkeypatch.setattr(policy, "CACHE_SECONDS", 60.0)


def measure_request(http: httpx.Client, path: str, email: str) -> tuple[Any, list[str], int]:
    """Return the response, the SQL statements without their values, and the hashing cost."""
    policy.clear_cache()
    policy.current_policy()
    with CaptureQueriesContext(connection) as captured, measure_hashing() as argon2:
        answer = http.post(path, json={"email": email, "password": PASSWORD})
    statements = [re.sub(r"\W+|s\d+_x\d+", " ", query["sql"]).split()[:3] for query in captured.captured_queries]
    return whole_response(answer), [SAVEPOINT_ENDINGS.get(sql[0], " ".join(sql)) for sql in statements], argon2.cost


@pytest.mark.ledger("CS-FP-1")
@pytest.mark.parametrize(("path", "hashed"), list(ENDPOINTS.values())[:2], ids=list(ENDPOINTS)[:2])
@pytest.mark.parametrize("column", [{}, {"is_active": False}, {"password": "!"}, {"is_staff": True}])
def test_mail_request_has_the_same_response_and_cost_for_every_address(
    alice: Person, path: str, hashed: int, column: dict[str, Any]
) -> None:
    User.objects.filter(pk=alice.id).update(**column)
    known, unknown = measure_request(alice.http, path, alice.email), measure_request(alice.http, path, UNKNOWN_EMAIL)
    assert known == unknown
    assert (known[0][0], known[2]) == (202, hashed)
    assert [sql.split()[0] for sql in known[1]].count("INSERT") >= 3  # the counters, the code, the mail
    assert Mail.objects.count() == OneTimeCode.objects.count() == (0 if column.get("is_active") is False else 1)


def test_register_has_the_same_response_and_cost_for_a_taken_address(
    alice: Person, bob: Person, set_policy: Callable[..., None]
) -> None:
    set_policy(email_verification="required")
    User.objects.filter(pk=bob.id).update(is_active=False)
    path, hashed = ENDPOINTS["register"]
    (fresh, of_fresh, a), (taken, of_taken, b), (inactive, of_inactive, c) = (
        measure_request(alice.http, path, email) for email in (UNKNOWN_EMAIL, alice.email, bob.email)
    )
    assert fresh == taken == inactive
    assert a == b == c == hashed
    assert of_taken == of_inactive
    assert len(of_fresh) == len(of_taken)  # it inserts an event, while the others end their savepoint in two statements
    assert Mail.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "shown"), [("/api/password/reset/confirm/", {"new_password": "x" * 20}), ("/api/email/verify/", {})]
)
def test_wrong_code_has_the_same_response_and_cost_for_every_address(
    alice: Person, path: str, shown: dict[str, str]
) -> None:
    alice.http.post("/api/password/reset/", json={"email": alice.email})
    outcomes = []
    for email in (alice.email, UNKNOWN_EMAIL):
        with CaptureQueriesContext(connection) as captured, measure_hashing() as argon2:
            answer = alice.http.post(path, json={"email": email, "code": "0000-0000", **shown})
        outcomes.append((answer.status_code, answer.content, len(captured), argon2.cost))
    assert outcomes[0] == outcomes[1]
    assert (outcomes[0][0], outcomes[0][3]) == (400, 0)
