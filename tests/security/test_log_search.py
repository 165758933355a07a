"""The search for secrets in the log of every test: it finds each kind, and no public id."""

import secrets
from base64 import b32encode
from collections.abc import Callable
from uuid import uuid4

import pytest

from latchkey.core.typed_codes import generate_code
from latchkey.factors.recovery_codes import GROUP, LENGTH
from tests.people import PASSWORD
from tests.secret_leaks import find_secrets

HANDED_OUT: dict[str, Callable[[], str]] = {
    "access token": lambda: f"eyJ{secrets.token_urlsafe(20)}.{secrets.token_urlsafe(20)}",
    "refresh token": lambda: str(uuid4()),
    "password": lambda: PASSWORD,
    "token of a link": lambda: f"https://auth.example.com/reset-password/?token={secrets.token_urlsafe(32)}",
    "ticket": lambda: secrets.token_urlsafe(32),
    "secret of an authenticator app": lambda: b32encode(secrets.token_bytes(20)).decode(),
    "URI of an authenticator app": lambda: "otpauth://totp/Example:user?secret=x",
    "recovery code": lambda: generate_code(LENGTH, GROUP),
}
PUBLIC = (
    "request_id=2f9c1f0e-8a51-4c6d-9d0e-6b1f3a7c5e42",
    f"key_id={'A' * 43}",
    "session_id=7446314743649142032 user_id=12345",
    "2030-01-01T12:00:00Z [info     ] factor.added reason=totp request='POST /api/me/totp/confirm/' code=200",
    f"digest={secrets.token_hex(32)} {secrets.token_hex(16)}",
)


@pytest.mark.parametrize("secret", HANDED_OUT.values(), ids=HANDED_OUT)
@pytest.mark.parametrize("line", ["{}", "factor.added ticket={} user_id=1", "body={{'code': '{}'}}", 'x="{}",'])
def test_search_of_the_log_finds_each_secret_that_is_handed_out(secret: Callable[[], str], line: str) -> None:
    for _ in range(20):
        assert find_secrets(line.format(secret()))


def test_search_of_the_log_leaves_public_ids_alone() -> None:
    assert find_secrets("\n".join(PUBLIC)) == []
