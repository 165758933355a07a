"""Refresh tokens in other text formats than the canonical one, and UUIDs that were never issued."""

from uuid import UUID

import pytest

from tests.people import Person
from tests.problems import assert_problem
from tests.support.endpoints import nothing_changes, send

each_token_endpoint = pytest.mark.parametrize("name", ["refresh", "logout"])


def non_canonical_forms(token: str) -> list[str]:
    """Return text forms that some UUID parsers accept for the same UUID."""
    bare = token.replace("-", "")
    full_width = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in token)
    arabic = "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in token)
    return [
        *(f"{{{token}}}", f"{{{token}", f"{token}}}", f"urn:uuid:{token}", f"urn:urn:{token}", f"uuid:{token}"),
        *(bare, f"{bare[:4]}-{bare[4:]}", f"{bare[:-1]}-{bare[-1]}", token.replace("-", "--"), token.replace("-", "_")),
        *(f" {token}", f"{token} ", f"{token}\n", f"\t{token}", f"{token}\x00", f"{token[:8]} {token[9:]}"),
        *(
            f"0x{bare}",
            str(UUID(token).int),
            full_width,
            arabic,
            token.replace("-", "\u2010"),
        ),
        *(token[:-1], f"{token}0", f"{token}{token}", token * 300, token[:-1] + "g", "-" * 36, "%s" * 18),
    ]


@pytest.mark.ledger("H-UUID-02", "H-UUID-04")
@each_token_endpoint
def test_refresh_and_logout_refuse_a_live_token_in_a_non_canonical_uuid_format(alice: Person, name: str) -> None:
    with nothing_changes():
        for form in non_canonical_forms(alice.refresh_token):
            assert_problem(send(alice, name, {"refresh_token": form}), 400, "invalid", ["refresh_token"])
    assert send(alice, name, {"refresh_token": alice.refresh_token}).status_code == 200


@pytest.mark.ledger("H-UUID-01", "RFC4122/9562")
def test_refresh_and_logout_accept_a_token_in_upper_case(alice: Person) -> None:
    lower = alice.refresh_token
    answer = alice.try_refresh(lower.upper())
    successor = answer.json()["refresh_token"]
    assert successor == successor.lower()
    assert alice.try_refresh(lower).json()["refresh_token"] == successor
    assert alice.logout(successor.upper()).status_code == 200
    assert_problem(alice.try_refresh(successor), 401, "invalid_refresh_token")


@pytest.mark.ledger("H-UUID-05", "CS-SESS-2")
@pytest.mark.parametrize(
    "unissued",
    [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "7fffffff-ffff-4fff-bfff-ffffffffffff",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42",
    ],
)
def test_refresh_and_logout_treat_a_uuid_that_was_never_issued_as_unknown(alice: Person, unissued: str) -> None:
    unknown = alice.try_refresh("9a1b2c3d-4e5f-4a6b-8c7d-0e1f2a3b4c5d")
    with nothing_changes():
        answer = alice.try_refresh(unissued)
        assert_problem(answer, 401, "invalid_refresh_token")
        assert (answer.content, answer.headers) == (unknown.content, unknown.headers)
        assert alice.logout(unissued).text == '{"success": "User logged out."}'
    assert alice.try_refresh().status_code == 200


@pytest.mark.parametrize(("at", "digit"), [(14, "1"), (14, "7"), (19, "0"), (19, "f")])
def test_refresh_token_with_another_version_or_variant_ends_its_session(alice: Person, at: int, digit: str) -> None:
    forged = f"{alice.refresh_token[:at]}{digit}{alice.refresh_token[at + 1 :]}"
    assert_problem(alice.try_refresh(forged), 401, "invalid_refresh_token")
    assert_problem(alice.try_refresh(), 401, "invalid_refresh_token")


@pytest.mark.ledger("H-UUID-07")
def test_access_and_refresh_tokens_are_not_interchangeable(alice: Person) -> None:
    with nothing_changes():
        assert_problem(alice.me(alice.refresh_token), 401, "invalid_token")
        for name in ("refresh", "logout"):
            answer = send(alice, name, {"refresh_token": alice.access_token})
            assert_problem(answer, 400, "invalid", ["refresh_token"])
    assert alice.me().status_code == alice.try_refresh().status_code == 200
