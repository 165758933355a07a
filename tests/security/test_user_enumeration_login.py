"""Signing in tells nobody who has an account: equal answers, after equal work.

Time is not measured here but what takes it is counted; `bench/timing_login.py` measures.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from latchkey.accounts.models import User
from latchkey.hashing.argon2 import Argon2idPasswordHasher
from tests.people import PASSWORD, Person
from tests.problems import assert_problem
from tests.support.hashing_cost import FULL_COST, measure_hashing

WRONG = PASSWORD.upper()
CHEAPER = [(8_192, 1), (8_192, 2), (19_456, 1), (4_096, 3), (512, 2), (1_024, 38)]
UNKNOWN_EMAIL = "nobody@example.com"


def cheap_hash(memory: int, passes: int) -> str:
    """Return a hash of alice's password with fewer parameters than ours."""
    hasher = Argon2idPasswordHasher()
    hasher.memory_cost, hasher.time_cost = memory, passes
    return str(hasher.encode(PASSWORD, hasher.salt()))


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong password": ({}, WRONG),
    "inactive": ({"is_active": False}, PASSWORD),
    "inactive, a wrong password": ({"is_active": False}, WRONG),
    "unusable": ({"password": "!"}, PASSWORD),
    "no password at all": ({"password": ""}, PASSWORD),
    "of another system": ({"password": "md5$salt$0123456789abcdef0123456789abcdef"}, PASSWORD),
    "broken": ({"password": "argon2$argon2id$v=19$m=19456,t=2,p=1$$"}, PASSWORD),
    "staff": ({"is_staff": True, "is_superuser": True}, WRONG),
}
CHANGES |= {f"m={m}, t={t}": ({"password": cheap_hash(m, t)}, WRONG) for m, t in CHEAPER}


def login(http: httpx.Client, email: str, **body: Any) -> httpx.Response:
    return http.post("/api/login/", json={"email": email, **body})


def whole_response(answer: httpx.Response) -> Any:
    """Return the whole answer, to the last byte; no header holds a time or an id of the request."""
    return answer.status_code, answer.headers.raw, answer.content


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-2", "CS-AUTH-3", "REG-DJANGO-31")
@pytest.mark.ledger("REG-KEYCLOAK-06", "REG-ZITADEL-05", "REG-ALLAUTH-08")
@pytest.mark.parametrize(("columns", "password"), CHANGES.values(), ids=CHANGES)
def test_every_failed_sign_in_answers_and_costs_like_that_of_nobody(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]], columns: dict[str, Any], password: str
) -> None:
    User.objects.filter(pk=alice.id).update(**columns)

    def failed(email: str) -> tuple[httpx.Response, int]:
        """Return the answer, and how many statements it took."""
        answers: list[httpx.Response] = []
        with measure_hashing() as argon2:
            sent = statements(lambda: answers.append(login(alice.http, email, password=password)))
            assert argon2.cost == FULL_COST
        return answers[0], len(sent)

    (nobodys, of_nobody), (hers, of_her) = failed(UNKNOWN_EMAIL), failed(alice.email)
    assert_problem(nobodys, 401, "invalid_credentials")
    assert whole_response(nobodys) == whole_response(hers)
    assert of_nobody == of_her


@pytest.mark.parametrize(("memory", "passes"), CHEAPER)
def test_the_right_password_opens_a_cheaper_hash_once_more_and_makes_it_dear(
    alice: Person, memory: int, passes: int
) -> None:
    User.objects.filter(pk=alice.id).update(password=cheap_hash(memory, passes))
    with measure_hashing() as argon2:
        alice.login()
        assert argon2.cost == memory * passes + FULL_COST
    with measure_hashing() as argon2:
        alice.login()
        assert argon2.cost == FULL_COST


@pytest.mark.ledger("H-PW-06", "REG-KEYCLOAK-16")
@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password": 1}, {"password": "x" * 257}])
def test_no_password_to_compare_costs_nothing_for_anybody(alice: Person, body: dict[str, Any]) -> None:
    with measure_hashing() as argon2:
        known, unknown = login(alice.http, alice.email, **body), login(alice.http, UNKNOWN_EMAIL, **body)
        assert argon2.cost == 0
    assert whole_response(known) == whole_response(unknown)
    assert_problem(known, 400, known.json()["code"], ["password"])


@pytest.mark.ledger("ASVS-11.4.2", "CS-PW-1")
def test_passwords_cost_what_owasp_asks_for(alice: Person, user_row: Callable[[Person], Any]) -> None:
    assert user_row(alice).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    with measure_hashing() as argon2:
        alice.login()
        Person(alice.http, "carol@example.com").register()
        assert argon2.cost == 2 * FULL_COST
