"""Authentication methods of a session: what a person proved at sign-in, and the claims that say so.

The claims are `amr` (RFC 8176), `acr` and `auth_time` (OpenID Connect Core 2). They stand only in tokens of sessions
with more than the password of the sign-in, so that the tokens of all others keep their bytes.
"""

from enum import IntFlag
from typing import Any, NamedTuple


class Proof(IntFlag):
    """What was proved, as a bit mask: the column of a session and of a ticket."""

    NONE = 0
    PASSWORD = 1
    TOTP = 2
    PASSKEY = 4
    USER_VERIFIED = 8
    """By the authenticator of a passkey: a PIN or biometrics (WebAuthn level 3, section 4)."""
    RECOVERY_CODE = 16
    MAIL = 32
    UPSTREAM = 64
    REAUTHENTICATED = 128
    """A password was given once more within the session: no method of its own, but a reason to say when."""


FIRST = Proof.PASSWORD | Proof.MAIL | Proof.UPSTREAM
"""Methods of which two make no two factors: one mailbox may be behind all of them (kratos#4317)."""

SECOND = Proof.TOTP | Proof.PASSKEY | Proof.RECOVERY_CODE
"""Methods that show possession: of a device, or of a printed list (NIST SP 800-63B-4 section 3.1)."""

AAL1, AAL2, PHISHING_RESISTANT = "aal1", "aal2", "phr"
LEVELS = (AAL1, AAL2, PHISHING_RESISTANT)
"""Values of `acr`, the lowest first: NIST's authenticator assurance levels 1 and 2, and the `phr` of OpenID Connect
Extended Authentication Profile ACR Values 1.0 for a passkey with user verification."""

_AMR = {  # RFC 8176 section 2
    Proof.PASSWORD: "pwd",
    Proof.TOTP: "otp",
    Proof.RECOVERY_CODE: "otp",
    Proof.MAIL: "otp",
    Proof.PASSKEY: "pop",
    Proof.USER_VERIFIED: "user",
    Proof.UPSTREAM: "fed",
}


def is_two_factor(proof: Proof) -> bool:
    """Return whether the proof is of two factors: possession and another, or a passkey that verifies its user."""
    return bool(proof & SECOND) and bool(proof & (FIRST | Proof.USER_VERIFIED))


def acr(proof: Proof) -> str:
    """Return the authentication context class of a proof, one of LEVELS."""
    if Proof.PASSKEY | Proof.USER_VERIFIED in proof:
        return PHISHING_RESISTANT
    return AAL2 if is_two_factor(proof) else AAL1


def amr(proof: Proof) -> list[str]:
    """Return the authentication methods references of a proof, sorted, with `mfa` for two factors."""
    methods = {name for method, name in _AMR.items() if method in proof}
    return sorted(methods | ({"mfa"} if is_two_factor(proof) else set()))


class Authentication(NamedTuple):
    """What a session proved, as an integer mask of Proof, and when: Unix seconds of its last authentication."""

    proof: int
    authenticated_at: int

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of tokens and introspection: none for the password of the sign-in alone."""
        if self.proof in (Proof.NONE, Proof.PASSWORD):
            return {}
        proof = Proof(self.proof)
        return {"amr": amr(proof), "acr": acr(proof), "auth_time": self.authenticated_at}
