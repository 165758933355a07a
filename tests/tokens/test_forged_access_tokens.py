"""Forged access tokens: invalid claims, headers, keys and algorithms."""

import time
from typing import Any

import jwt
import pytest
from django.conf import settings

from latchkey.tokens.access_token import access_token_keys
from latchkey.tokens.refresh_token import refresh_token_keys
from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes
from tests.support.forged_tokens import OMITTED, forge, header_and_claims

NOW = int(time.time())
CLAIMS = ["user_id", "sub", "sid", "iat", "exp", "jti", "iss", "aud"]
WRONG_CLAIMS: dict[str, dict[str, list[Any]]] = {
    "times": {
        "exp": [
            *(NOW - 1, 0, -1, True, "never", str(NOW + 60), NOW + 60.5, None, [NOW + 60], {}, float("inf")),
            *(NOW + 86_400, 2**31, 2**53, 2**63, 2**64, 10**30, 10**300, 1e300, 253402300800),
        ],
        "iat": [
            *(NOW + 86_400, 2**62, True, "now", NOW + 0.5, None, [NOW], float("nan")),
            *(0, -1, -(2**63), NOW - 3600, NOW - 86_400, 2**53, -(10**30), False, -0.5),
        ],
        "nbf": [NOW + 86_400, 2**62, True, "now", NOW + 0.5, None, [NOW], float("inf")],
    },
    "issuer, audience and id": {
        "iss": ["https://evil.example", "", None, 1, ["http://127.0.0.1:8000"], "http://127.0.0.1:800", {}],
        "aud": [
            *("other", "", None, 1, [], ["other"], {}, "latchke", "latchkeyy", "LATCHKEY"),
            *(["latchkey", 1], ["latchkey", None], [["latchkey"]], {"latchkey": 1}),
        ],
        "jti": [1, None, [], {}],
    },
    "session and user": {
        "sid": ["0", "1", "-1", "", "x", "1e5", " 1", "9" * 19, "9" * 20, "9" * 400, 1, None, [], {}, True, "\u0661"],
        "sub": ["0", "", " ", None, [], True, "root", "\u0661"],
        "user_id": [0, -1, 2**63, 2**200, 1.0, "1", None, True, [], {}],
    },
}
HEADERS: list[dict[str, Any]] = [
    *({"alg": alg} for alg in ("none", "None", "NONE", "nOnE", "hs256", "HS256 ", "HS384", "HS512", "RS256", "ES256")),
    *({"alg": alg} for alg in ("EdDSA", "PS256", "", None, 1, ["HS256"], {"HS256": 1}, OMITTED)),
    *({"typ": typ} for typ in ("JWT", "at+jwt ", "", None, 1, ["at+jwt"], "application/jwt", "dpop+jwt", OMITTED)),
    *({"crit": crit} for crit in (["x"], [], "exp", ["exp"], ["b64"])),
    *({"kid": kid} for kid in (1, ["x"], {"x": 1})),
    *({"zip": zipped} for zipped in ("DEF", "GZIP", "", None)),
    {"b64": False},
]


def assert_foreign(alice: Person, token: str) -> None:
    assert_problem(alice.me(token), 401, "invalid_token")


def test_forge_without_changes_makes_a_valid_access_token(alice: Person) -> None:
    assert alice.me(forge(alice)).content == alice.me().content
    assert alice.me(forge(alice)).status_code == 200


@pytest.mark.ledger(
    "H-JWT-09",
    "H-JWT-11",
    "RFC8725-3.8",
    "RFC8725-3.9",
    "REG-PYJWT-22",
    "RFC9068-4",
    "ASVS-9.2.3",
    "ASVS-10.3.1",
    "ASVS-10.3.2",
    "REG-SUPABASEAUTH-02",
)
@pytest.mark.parametrize("kind", WRONG_CLAIMS)
def test_signed_access_token_with_an_invalid_claim_is_refused(alice: Person, kind: str) -> None:
    with nothing_changes():
        for claim, values in WRONG_CLAIMS[kind].items():
            for value in values:
                assert_foreign(alice, forge(alice, **{claim: value}))


@pytest.mark.ledger("RFC9068-2.2", "ASVS-9.2.3", "ASVS-10.3.1")
@pytest.mark.parametrize("claim", CLAIMS)
def test_signed_access_token_without_a_required_claim_is_refused(alice: Person, claim: str) -> None:
    assert_foreign(alice, forge(alice, **{claim: OMITTED}))


@pytest.mark.ledger("H-AUTHZ-01", "RFC8725-3.9", "ASVS-9.2.3", "ASVS-10.3.1")
@pytest.mark.parametrize(
    "claims",
    [{"aud": ["x", "latchkey"]}, {"nbf": NOW - 5}, {"nbf": NOW + 5}, {"iat": NOW + 15}, {"extra": {"a": 1}}],
)
def test_signed_access_token_with_acceptable_claims_is_accepted(alice: Person, claims: dict[str, Any]) -> None:
    assert alice.me(forge(alice, **claims)).status_code == 200


@pytest.mark.ledger(
    "H-JWT-01",
    "H-JWT-04",
    "RFC8725-3.1",
    "RFC8725-3.6",
    "RFC8725-3.11",
    "REG-PYJWT-20",
    "REG-PYJWT-18",
    "ASVS-9.1.2",
    "REG-JOSELIBS-01",
    "ASVS-9.2.2",
    "RFC9068-5",
)
@pytest.mark.parametrize("header", HEADERS, ids=str)
def test_signed_access_token_with_an_invalid_header_is_refused(alice: Person, header: dict[str, Any]) -> None:
    assert_foreign(alice, forge(alice, header))


@pytest.mark.ledger("RFC8725-3.11", "H-JWT-05", "CS-JWT-3")
def test_access_token_with_full_media_type_or_unknown_header_members_is_accepted(alice: Person) -> None:
    taken = [{"typ": "application/at+jwt"}, {"typ": "AT+JWT"}, {"x": "../../dev/null"}, {"jku": "http://x.example/"}]
    for header in taken:
        assert alice.me(forge(alice, header)).status_code == 200


@pytest.mark.ledger("H-JWT-17", "RFC8725-3.5", "CS-JWT-1", "RFC8725-3.12", "RFC9068-5", "ASVS-7.2.1")
def test_access_token_signed_with_another_key_is_refused(alice: Person) -> None:
    others = [b"secret", b"x" * 32, bytes(32), refresh_token_keys()[0], settings.SECRET_KEY.encode()]
    for key in others:
        assert_foreign(alice, forge(alice, key=key))


@pytest.mark.ledger("H-JWT-01", "RFC8725-3.1")
@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_access_token_signed_with_the_right_key_and_another_algorithm_is_refused(alice: Person, algorithm: str) -> None:
    _, claims = header_and_claims(alice)
    with_longer_hash = jwt.encode(claims, access_token_keys()[0] * 2, algorithm, {"typ": "at+jwt"})
    assert_foreign(alice, with_longer_hash)
    assert_foreign(alice, jwt.encode(claims, "", "none", {"typ": "at+jwt"}))


@pytest.mark.ledger("H-JWT-18", "RFC8725-3.8", "ASVS-10.3.2")
def test_access_token_that_mixes_the_claims_of_two_users_is_refused(alice: Person, bob: Person) -> None:
    _, his = header_and_claims(bob)
    assert_foreign(alice, forge(alice, user_id=bob.id))
    assert_foreign(alice, forge(alice, sub=str(bob.id)))
    assert_foreign(alice, forge(alice, user_id=bob.id, sub=str(bob.id)))
    assert_foreign(alice, forge(alice, sid=his["sid"]))
    assert alice.me(forge(alice, user_id=bob.id, sub=str(bob.id), sid=his["sid"])).json()["email"] == bob.email
