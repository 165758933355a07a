"""No user enumeration by login: equal responses after an equal amount of work.

Work is counted here (hashing cost and SQL statements), as times vary; `bench/timing_login.py` measures times.
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

pytestmark = pytest.mark.hashing

WRONG = PASSWORD.upper()
CHEAPER = [(8_192, 1), (8_192, 2), (19_456, 1), (4_096, 3), (512, 2), (1_024, 38)]
UNKNOWN_EMAIL = "nobody@example.com"


def cheap_hash(memory: int, passes: int) -> str:
    """Return a hash of alice's password with lower cost parameters than the default."""
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
    """Return status, headers and body; no header contains a time or a request id."""
    return answer.status_code, answer.headers.raw, answer.content


@pytest.mark.ledger("ASVS-6.3.8", "CS-AUTH-2", "CS-AUTH-3", "REG-DJANGO-31")
@pytest.mark.ledger("REG-KEYCLOAK-06", "REG-ZITADEL-05", "REG-ALLAUTH-08")
@pytest.mark.parametrize(("columns", "password"), CHANGES.values(), ids=CHANGES)
def test_failed_login_has_the_response_and_cost_of_an_unknown_address(
    alice: Person, statements: Callable[[Callable[[], Any]], list[str]], columns: dict[str, Any], password: str
) -> None:
    User.objects.filter(pk=alice.id).update(**columns)

    def failed(email: str) -> tuple[httpx.Response, int]:
        """Return the response and its number of SQL statements."""
        answers: list[httpx.Response] = []
        with measure_hashing() as argon2:
            sent = statements(lambda: answers.append(login(alice.http, email, password=password)))
            assert argon2.cost == FULL_COST
        return answers[0], len(sent)

    (unknown, unknown_statements), (known, known_statements) = failed(UNKNOWN_EMAIL), failed(alice.email)
    assert_problem(unknown, 401, "invalid_credentials")
    assert whole_response(unknown) == whole_response(known)
    assert unknown_statements == known_statements


@pytest.mark.parametrize(("memory", "passes"), CHEAPER)
def test_successful_login_upgrades_a_cheaper_password_hash(alice: Person, memory: int, passes: int) -> None:
    User.objects.filter(pk=alice.id).update(password=cheap_hash(memory, passes))
    with measure_hashing() as argon2:
        alice.login()
        assert argon2.cost == memory * passes + FULL_COST
    with measure_hashing() as argon2:
        alice.login()
        assert argon2.cost == FULL_COST


@pytest.mark.ledger("H-PW-06", "REG-KEYCLOAK-16")
@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password": 1}, {"password": "x" * 257}])
def test_login_without_a_valid_password_hashes_nothing_for_any_address(alice: Person, body: dict[str, Any]) -> None:
    with measure_hashing() as argon2:
        known, unknown = login(alice.http, alice.email, **body), login(alice.http, UNKNOWN_EMAIL, **body)
        assert argon2.cost == 0
    assert whole_response(known) == whole_response(unknown)
    assert_problem(known, 400, known.json()["code"], ["password"])


@pytest.mark.ledger("ASVS-11.4.2", "CS-PW-1")
def test_password_hash_parameters_meet_the_owasp_minimum(alice: Person, user_row: Callable[[Person], Any]) -> None:
    assert user_row(alice).password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    with measure_hashing() as argon2:
        alice.login()
        Person(alice.http, "carol@example.com").register()
        assert argon2.cost == 2 * FULL_COST
