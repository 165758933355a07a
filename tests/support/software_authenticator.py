"""An authenticator in software (WebAuthn Level 3), for requests to the API: it can tell lies that no real one tells.

It answers options as a browser does, with the JSON of PublicKeyCredential.toJSON(). Whatever a test passes by name
replaces the true value.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cbor2 import dumps
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED, EXTENSIONS = 1, 4, 8, 16, 64, 128
"""Flags of the authenticator data (section 6.1)."""

AAGUID = bytes.fromhex("ea9b8d664d011d213ce4b6b48cb575d4")


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class StoredPasskey:
    """A passkey as the authenticator keeps it."""

    key: EllipticCurvePrivateKey
    credential_id: bytes
    user_handle: bytes
    rp_id: str
    counter: int


@dataclass
class SoftwareAuthenticator:
    """An authenticator with a browser around it; by default on a phone, which verifies its user and is backed up."""

    origin: str = "http://localhost:8000"
    flags: int = USER_PRESENT | USER_VERIFIED | BACKUP_ELIGIBLE | BACKED_UP
    counter_step: int = 0  # 1 for a security key; passkeys that are synchronized stay at 0
    passkeys: list[StoredPasskey] = field(default_factory=list)

    def create(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """Make a passkey and return the RegistrationResponseJSON."""
        excluded = [decode(one["id"]) for one in options["excludeCredentials"]]
        assert not any(one.credential_id in excluded for one in self.passkeys), "InvalidStateError"
        stored = StoredPasskey(
            key=generate_private_key(SECP256R1()),
            credential_id=lies.get("credential_id", secrets.token_bytes(32)),
            user_handle=decode(options["user"]["id"]),
            rp_id=options["rp"]["id"],
            counter=lies.get("counter", self.counter_step),
        )
        self.passkeys.append(stored)
        key = lies.get("public_key", dumps(cose_key(stored.key)))
        attested = (
            lies.get("aaguid", AAGUID) + len(stored.credential_id).to_bytes(2, "big") + stored.credential_id + key
        )
        data = self._data(stored, ATTESTED, lies) + attested + lies.get("tail", b"")
        statement = {"fmt": lies.get("format", "none"), "attStmt": lies.get("statement", {}), "authData": data}
        response = {
            "clientDataJSON": encode(self._client_data("webauthn.create", options, lies)),
            "attestationObject": encode(lies.get("attestation_object", dumps(statement))),
            "transports": lies.get("transports", ["hybrid", "internal"]),
        }
        return self._credential(stored, response)

    def get(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """Sign with the newest passkey that the options allow and return the AuthenticationResponseJSON."""
        allowed = [decode(one["id"]) for one in options["allowCredentials"]]
        stored = next(
            one
            for one in reversed(self.passkeys)
            if one.rp_id == options["rpId"] and (not allowed or one.credential_id in allowed)
        )
        stored.counter = lies.get("counter", stored.counter + self.counter_step)
        data = lies.get("authenticator_data", self._data(stored, 0, lies))
        client_data = self._client_data("webauthn.get", options, lies)
        signature = lies.get("key", stored.key).sign(data + sha256(client_data).digest(), ECDSA(SHA256()))
        handle = lies.get("user_handle", stored.user_handle)
        response = {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(lies.get("signature", signature)),
            "userHandle": None if handle is None else encode(handle),
        }
        return self._credential(stored, response)

    def _data(self, stored: StoredPasskey, attested: int, lies: dict[str, Any]) -> bytes:
        flags = lies.get("flags", self.flags) | attested
        rp_id = lies.get("rp_id", stored.rp_id)
        return bytes(sha256(rp_id.encode()).digest() + bytes([flags]) + stored.counter.to_bytes(4, "big"))

    def _client_data(self, ceremony: str, options: dict[str, Any], lies: dict[str, Any]) -> bytes:
        data = {
            "type": lies.get("type", ceremony),
            "challenge": lies.get("challenge", options["challenge"]),
            "origin": lies.get("origin", self.origin),
            "crossOrigin": lies.get("cross_origin", False),
        }
        raw: bytes = lies.get("client_data", json.dumps(data).encode())
        return raw

    @staticmethod
    def _credential(stored: StoredPasskey, response: dict[str, Any]) -> dict[str, Any]:
        credential_id = encode(stored.credential_id)
        return {
            "id": credential_id,
            "rawId": credential_id,
            "type": "public-key",
            "response": response,
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
        }


def cose_key(key: EllipticCurvePrivateKey) -> dict[int, Any]:
    """Return the public key as COSE has it (RFC 9053 section 7.1): kty EC2, alg ES256, curve P-256, x and y."""
    point = key.public_key().public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
