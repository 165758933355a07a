"""The Argon2id hasher: compatible with argon2-cffi, and a failed sign-in always takes the time of one hash."""

import argon2
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from hypothesis import given
from hypothesis import strategies as st

from latchkey.accounts.models import User
from latchkey.hashing import argon2 as hashing
from latchkey.hashing.argon2 import Argon2idPasswordHasher
from tests.hypothesis_profiles import NO_DEADLINE
from tests.people import PASSWORD, Person, try_login
from tests.problems import assert_problem
from tests.support.hashing_cost import FULL_COST, measure_hashing

pytestmark = pytest.mark.hashing

PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=256)


class CheapHasher(Argon2idPasswordHasher):
    memory_cost, time_cost = 64, 1


@pytest.mark.ledger("ASVS-11.2.1", "CS-PW-1")
@NO_DEADLINE
@given(PASSWORDS, PASSWORDS)
def test_argon2_hasher_and_argon2_cffi_verify_each_others_hashes(password: str, other: str) -> None:
    hasher = CheapHasher()
    made = hasher.encode(password, hasher.salt())
    reference = argon2.PasswordHasher(1, 64, 1, salt_len=22)
    assert reference.verify(made.removeprefix("argon2"), password)
    assert hasher.verify(password, f"argon2{reference.hash(password)}")
    assert hasher.verify(other, made) == (password == other)


def test_argon2_hasher_uses_a_new_salt_and_does_not_upgrade_its_own_hash() -> None:
    made = [make_password(PASSWORD) for _ in range(2)]
    assert made[0] != made[1]
    assert not Argon2idPasswordHasher().must_update(made[0])


def test_login_with_an_argon2_hash_of_the_same_parameters_keeps_the_hash(alice: Person) -> None:
    older = Argon2PasswordHasher()
    older.memory_cost, older.time_cost, older.parallelism = 19_456, 2, 1
    made = older.encode(PASSWORD, older.salt())
    User.objects.filter(pk=alice.id).update(password=made)
    with measure_hashing() as work:
        alice.login()
        assert work.cost == FULL_COST
    assert User.objects.get(pk=alice.id).password == made
    assert not check_password(PASSWORD.upper(), made)


def test_login_records_the_duration_of_its_hash(alice: Person) -> None:
    with measure_hashing():
        hashing.recent_durations.clear()
        alice.login()
        assert list(hashing.recent_durations) == [FULL_COST / 1e6]


@pytest.mark.parametrize(
    "recent", [[], [0.5 * FULL_COST / 1e6] * 9, [FULL_COST / 1e6] * 9, [1.9 * FULL_COST / 1e6] * 9]
)
def test_login_with_a_wrong_password_costs_one_hash_whatever_recent_hashes_took(
    alice: Person, recent: list[float]
) -> None:
    with measure_hashing() as work:
        hashing.recent_durations.clear()
        hashing.recent_durations.extend(recent)
        assert try_login(alice.http, password=PASSWORD.upper()).status_code == 401
        assert work.cost == FULL_COST
        assert [*hashing.recent_durations] == [*recent, FULL_COST / 1e6]


@pytest.mark.parametrize(("memory", "passes"), [(8_192, 1), (19_456, 2), (65_536, 3)])
def test_login_with_a_wrong_password_counts_the_lanes_of_an_argon2_hash(
    alice: Person, memory: int, passes: int
) -> None:
    four_lane_hasher = Argon2PasswordHasher()
    four_lane_hasher.memory_cost, four_lane_hasher.time_cost, four_lane_hasher.parallelism = memory, passes, 4
    User.objects.filter(pk=alice.id).update(password=four_lane_hasher.encode(PASSWORD, four_lane_hasher.salt()))
    with measure_hashing() as work:
        work.sees_lanes = False
        assert try_login(alice.http, password=PASSWORD.upper()).status_code == 401
        assert abs(work.cost - max(FULL_COST, memory * passes)) <= 2  # whole KiB, two passes


@pytest.mark.parametrize("recent", [[], [FULL_COST / 1e6] * 9])
def test_login_without_memory_for_hashing_returns_503(alice: Person, recent: list[float]) -> None:
    with measure_hashing() as work:
        hashing.recent_durations.clear()
        hashing.recent_durations.extend(recent)
        work.has_memory = False
        assert_problem(try_login(alice.http), 503, "unavailable")
        assert_problem(try_login(alice.http, "nobody@example.com"), 503, "unavailable")
        assert [*hashing.recent_durations] == recent
    alice.login()
