"""latchkey.tokens.access_token: issuing and verifying access tokens at a given time."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import HMACAlgorithm, get_default_algorithms

from latchkey.core.exceptions import InvalidToken
from latchkey.tokens.access_token import ALGORITHM, access_token_keys, issue, verify
from latchkey.tokens.refresh_token import refresh_token_keys

NOW = datetime(2030, 1, 1, 12, 0, 0, tzinfo=UTC)
LIFETIME = timedelta(seconds=30)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.="


def test_access_token_carries_user_session_and_times() -> None:
    token = verify(issue(7, 2**63 - 1, NOW, LIFETIME), NOW)
    assert (token.user_id, token.session_id) == (7, 2**63 - 1)
    assert (token.issued_at, token.expires_at) == (int(NOW.timestamp()), int((NOW + LIFETIME).timestamp()))


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(1, 3600))
def test_access_token_verifies_until_its_exact_expiry(user: int, session: int, seconds: int) -> None:
    token = issue(user, session, NOW, timedelta(seconds=seconds))
    end = NOW + timedelta(seconds=seconds)
    verified = verify(token, NOW)
    assert verify(token, end - timedelta(microseconds=1)) == verified
    assert (verified.user_id, verified.session_id) == (user, session)
    with pytest.raises(InvalidToken):
        verify(token, end)


@pytest.mark.parametrize(("ahead", "accepted"), [(30, True), (31, False), (3600, False)])
def test_access_token_issued_in_the_future_is_accepted_within_30_seconds(ahead: int, accepted: bool) -> None:
    token = issue(1, 1, NOW + timedelta(seconds=ahead), LIFETIME)
    if accepted:
        assert verify(token, NOW).session_id == 1
    else:
        with pytest.raises(InvalidToken):
            verify(token, NOW)


def test_access_token_times_are_whole_seconds_and_its_lifetime_is_exact() -> None:
    token = issue(1, 1, NOW + timedelta(microseconds=999_999), LIFETIME)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (int(NOW.timestamp()), int(NOW.timestamp()) + 30)


def test_access_tokens_are_unique() -> None:
    assert len({issue(1, 1, NOW, LIFETIME) for _ in range(100)}) == 100


@given(st.text(max_size=200))
def test_random_text_is_refused_as_access_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        verify(text, NOW)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=40))
def test_three_random_segments_are_refused_as_access_token(header: bytes, payload: bytes, signature: bytes) -> None:
    encoded = [jwt.utils.base64url_encode(part).decode() for part in (header, payload, signature)]
    with pytest.raises(InvalidToken):
        verify(".".join(encoded), NOW)


@given(st.data())
def test_access_token_with_one_changed_character_is_refused(data: st.DataObject) -> None:
    token = issue(1, 1, NOW, LIFETIME)
    at = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.sampled_from(ALPHABET).filter(token[at].__ne__))
    with pytest.raises(InvalidToken):
        verify(token[:at] + other + token[at + 1 :], NOW)


def test_access_token_of_another_deployment_is_refused() -> None:
    token = issue(1, 1, NOW, LIFETIME)
    assert verify(token, NOW)
    for other in ({"PUBLIC_URL": "https://other.example"}, {"SECRET_KEY": "x" * 50, "SECRET_KEY_FALLBACKS": []}):
        with override_settings(**other), pytest.raises(InvalidToken):
            verify(token, NOW)


def test_pyjwt_algorithms_of_the_process_stay_unchanged() -> None:
    for name, algorithm in get_default_algorithms().items():
        registered = jwt.get_algorithm_by_name(name)
        assert type(registered) is type(algorithm)
        assert vars(registered) == vars(algorithm)
        assert type(registered).__module__ == "jwt.algorithms"
    with pytest.raises(ValueError, match="already has a handler"):
        jwt.register_algorithm(ALGORITHM, HMACAlgorithm(HMACAlgorithm.SHA256))


@pytest.mark.ledger("CS-JWT-1", "RFC8725-3.5")
def test_derived_keys_differ_by_purpose_and_secret_key() -> None:
    with override_settings(SECRET_KEY="a" * 50, SECRET_KEY_FALLBACKS=["b" * 50]):
        keys = [*access_token_keys(), *refresh_token_keys()]
    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}
