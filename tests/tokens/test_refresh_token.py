"""latchkey.tokens.refresh_token: selector, digest and successor of version-4 UUIDs."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from latchkey.tokens.refresh_token import digest, generate, selector, successor, was_never_issued

TOKENS = st.uuids(version=4)
KEYS = st.binary(min_size=32, max_size=32)
KEY = b"k" * 32
VERIFIER = (1 << 62) - 1


def test_generated_refresh_tokens_are_unique_version_4_uuids() -> None:
    tokens = {generate(KEY) for _ in range(1000)}
    assert len(tokens) == 1000
    assert {token.version for token in tokens} == {4}
    assert len({selector(token) for token in tokens}) == 1000


def test_refresh_token_selector_is_the_60_bits_around_the_version_digit() -> None:
    token = UUID("01234567-89ab-4cde-bfff-ffffffffffff")
    assert selector(token) == 0x0123_4567_89AB_CDE
    assert selector(UUID("ffffffff-ffff-4fff-8000-000000000000")) == (1 << 60) - 1
    assert selector(UUID("00000000-0000-4000-bfff-ffffffffffff")) == 0


@given(TOKENS)
def test_refresh_token_selector_fits_a_bigint_and_is_independent_of_the_verifier(token: UUID) -> None:
    assert 0 <= selector(token) < 1 << 60
    assert selector(UUID(int=token.int ^ VERIFIER)) == selector(token)


@given(TOKENS, st.integers(64, 127))
def test_refresh_token_selector_has_every_bit_of_the_first_half_but_the_version(token: UUID, bit: int) -> None:
    flipped = UUID(int=token.int ^ 1 << bit)
    assert (selector(flipped) == selector(token)) == (76 <= bit <= 79)


@given(KEYS, TOKENS)
def test_refresh_token_successor_keeps_selector_version_and_variant(key: bytes, token: UUID) -> None:
    following = successor(key, token)
    assert following.int >> 62 == token.int >> 62
    assert selector(following) == selector(token)
    assert (following.version, following.variant) == (4, token.variant)
    assert following != token


@given(KEYS, TOKENS)
def test_refresh_token_successor_is_derived_from_token_and_key(key: bytes, token: UUID) -> None:
    assert successor(key, token) == successor(key, UUID(str(token).upper()))
    assert successor(key, token) != successor(key[::-1] + b"x", token)


@given(KEYS, TOKENS, st.integers(0, 127))
def test_refresh_token_digest_depends_on_every_bit_and_on_the_key(key: bytes, token: UUID, bit: int) -> None:
    assert len(digest(key, token)) == 32
    assert digest(key, token) != digest(key, UUID(int=token.int ^ 1 << bit))
    assert digest(key, token) != digest(key + b"x", token)


@given(KEYS, TOKENS)
def test_refresh_token_digest_does_not_contain_the_successor(key: bytes, token: UUID) -> None:
    verifier = successor(key, token).int & VERIFIER
    kept = digest(key, token)
    windows = [int.from_bytes(kept[at : at + 8]) & VERIFIER for at in range(25)]
    assert verifier not in windows


def test_refresh_token_successors_do_not_repeat() -> None:
    token, seen = UUID("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42"), set()
    for _ in range(5000):
        seen.add(token)
        token = successor(KEY, token)
    assert len(seen) == 5000


def test_refresh_token_digest_and_successor_are_stable_across_releases() -> None:
    token = UUID("2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42")
    assert str(successor(KEY, token)) == "2f9c1f0e-8a51-4c6d-a5de-703bf23b5dd7"
    assert digest(KEY, token).hex() == "548d7e561c7990f1322bc83fa85f52dc84556dfbeaf315cf5e049bb313c355e1"


@given(KEYS, KEYS, st.integers(0, 5))
def test_was_never_issued_is_false_for_an_issued_token_after_any_number_of_rotations(
    key: bytes, other: bytes, steps: int
) -> None:
    token = generate(key)
    for _ in range(steps):
        token = successor(key, token)
    assert not was_never_issued([other, key], token)


def test_was_never_issued_is_true_for_nearly_all_guessed_tokens() -> None:
    noticed = [was_never_issued([KEY], UUID(int=number * 7919 << 64, version=4)) for number in range(4096)]
    assert noticed.count(False) < 20  # one in 4,096 is not recognized
