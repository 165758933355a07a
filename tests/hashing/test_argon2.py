"""What libsodium computes is Argon2id as any other library has it."""

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

PASSWORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=256)


class Little(Argon2idPasswordHasher):
    memory_cost, time_cost = 64, 1


@pytest.mark.ledger("ASVS-11.2.1", "CS-PW-1")
@NO_DEADLINE
@given(PASSWORDS, PASSWORDS)
def test_both_libraries_agree_on_every_password(password: str, other: str) -> None:
    hasher = Little()
    made = hasher.encode(password, hasher.salt())
    reference = argon2.PasswordHasher(1, 64, 1, salt_len=22)
    assert reference.verify(made.removeprefix("argon2"), password)
    assert hasher.verify(password, f"argon2{reference.hash(password)}")
    assert hasher.verify(other, made) == (password == other)


def test_a_new_hash_has_a_salt_of_its_own_and_is_not_made_anew_at_the_next_sign_in() -> None:
    made = [make_password(PASSWORD) for _ in range(2)]
    assert made[0] != made[1]
    assert not Argon2idPasswordHasher().must_update(made[0])


def test_a_hash_of_an_older_latchkey_opens_and_stays(alice: Person) -> None:
    older = Argon2PasswordHasher()
    older.memory_cost, older.time_cost, older.parallelism = 19_456, 2, 1
    made = older.encode(PASSWORD, older.salt())
    User.objects.filter(pk=alice.id).update(password=made)
    with measure_hashing() as work:
        alice.login()
        assert work.cost == FULL_COST
    assert User.objects.get(pk=alice.id).password == made
    assert not check_password(PASSWORD.upper(), made)


def test_every_sign_in_tells_how_long_a_hash_of_ours_takes(alice: Person) -> None:
    with measure_hashing():
        hashing.recent_durations.clear()
        alice.login()
        assert list(hashing.recent_durations) == [FULL_COST / 1e6]


@pytest.mark.parametrize("usual", [[], [0.5 * FULL_COST / 1e6] * 9, [FULL_COST / 1e6] * 9, [1.9 * FULL_COST / 1e6] * 9])
def test_a_wrong_guess_at_a_hash_of_ours_costs_one_whatever_the_latest_took(alice: Person, usual: list[float]) -> None:
    with measure_hashing() as work:
        hashing.recent_durations[:] = usual
        assert try_login(alice.http, password=PASSWORD.upper()).status_code == 401
        assert work.cost == FULL_COST
        assert hashing.recent_durations == [*usual, FULL_COST / 1e6]


@pytest.mark.parametrize(("memory", "passes"), [(8_192, 1), (19_456, 2), (65_536, 3)])
def test_what_other_threads_compute_of_a_hash_counts(alice: Person, memory: int, passes: int) -> None:
    of_four_lanes = Argon2PasswordHasher()
    of_four_lanes.memory_cost, of_four_lanes.time_cost, of_four_lanes.parallelism = memory, passes, 4
    User.objects.filter(pk=alice.id).update(password=of_four_lanes.encode(PASSWORD, of_four_lanes.salt()))
    with measure_hashing() as work:
        work.sees_lanes = False
        assert try_login(alice.http, password=PASSWORD.upper()).status_code == 401
        assert abs(work.cost - max(FULL_COST, memory * passes)) <= 2  # whole KiB, two passes


@pytest.mark.parametrize("usual", [[], [FULL_COST / 1e6] * 9])
def test_for_lack_of_memory_nobody_is_told_that_the_password_is_wrong(alice: Person, usual: list[float]) -> None:
    with measure_hashing() as work:
        hashing.recent_durations[:] = usual
        work.has_memory = False
        assert_problem(try_login(alice.http), 503, "unavailable")
        assert_problem(try_login(alice.http, "nobody@example.com"), 503, "unavailable")
        assert hashing.recent_durations == usual
    alice.login()
