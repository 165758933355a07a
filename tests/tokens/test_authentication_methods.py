"""Authentication methods: what each combination of proofs says in `amr` and `acr`."""

import pytest

from latchkey.tokens.authentication_methods import LEVELS, Authentication, Proof, acr, amr

P = Proof
COMBINATIONS = [
    (P.PASSWORD, ["pwd"], "aal1"),
    (P.MAIL, ["otp"], "aal1"),
    (P.UPSTREAM, ["fed"], "aal1"),
    (P.PASSWORD | P.MAIL, ["otp", "pwd"], "aal1"),
    (P.TOTP, ["otp"], "aal1"),
    (P.TOTP | P.RECOVERY_CODE, ["otp"], "aal1"),
    (P.PASSKEY, ["pop"], "aal1"),
    (P.PASSWORD | P.TOTP, ["mfa", "otp", "pwd"], "aal2"),
    (P.PASSWORD | P.RECOVERY_CODE, ["mfa", "otp", "pwd"], "aal2"),
    (P.PASSWORD | P.PASSKEY, ["mfa", "pop", "pwd"], "aal2"),
    (P.MAIL | P.TOTP, ["mfa", "otp"], "aal2"),
    (P.UPSTREAM | P.PASSKEY, ["fed", "mfa", "pop"], "aal2"),
    (P.PASSKEY | P.USER_VERIFIED, ["mfa", "pop", "user"], "phr"),
    (P.PASSWORD | P.PASSKEY | P.USER_VERIFIED, ["mfa", "pop", "pwd", "user"], "phr"),
]


@pytest.mark.ledger("REG-KRATOS-01")
@pytest.mark.parametrize(("proof", "methods", "level"), COMBINATIONS, ids=[str(int(row[0])) for row in COMBINATIONS])
def test_each_combination_of_proofs_has_its_methods_and_level(proof: Proof, methods: list[str], level: str) -> None:
    assert (amr(proof), acr(proof)) == (methods, level)
    assert level in LEVELS


@pytest.mark.parametrize("proof", [P.NONE, P.PASSWORD])
def test_password_alone_adds_no_claims(proof: Proof) -> None:
    assert Authentication(int(proof), 1_800_000_000).claims == {}


def test_more_than_a_password_adds_methods_level_and_time() -> None:
    authentication = Authentication(int(P.PASSWORD | P.TOTP), 1_800_000_000)
    assert authentication.claims == {"amr": ["mfa", "otp", "pwd"], "acr": "aal2", "auth_time": 1_800_000_000}
