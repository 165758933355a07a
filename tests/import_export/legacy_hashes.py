"""Hashes of alice's password in the formats of the systems that people migrate from."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from typing import Any

import argon2
import bcrypt
from django.contrib.auth import hashers

from tests.people import PASSWORD

SALT = bytes(range(240, 256))  # no text in any encoding
ARGON2_TYPES = {"i": argon2.Type.I, "d": argon2.Type.D, "id": argon2.Type.ID}


def b64encode_unpadded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def passlib_pbkdf2(digest: str, rounds: int, password: str = PASSWORD, salt: bytes = SALT) -> str:
    """Return a hash as passlib's pbkdf2_sha256 and pbkdf2_sha512 write it: base64 with '.' instead of '+'."""
    known = hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds)
    return f"$pbkdf2-{digest}${rounds}${b64encode_unpadded(salt)}${b64encode_unpadded(known)}".replace("+", ".")


def phc_pbkdf2(digest: str, iterations: int, length: int, password: str = PASSWORD, salt: bytes = SALT) -> str:
    """Return a hash as a PHC string; with 64 bytes of SHA-256 it is the format of Keycloak's exports."""
    known = hashlib.pbkdf2_hmac(digest, password.encode(), salt, iterations, length)
    return f"$pbkdf2-{digest}$i={iterations},l={length}${b64encode_unpadded(salt)}${b64encode_unpadded(known)}"


def phc_scrypt(logarithm: int, r: int, p: int, password: str = PASSWORD, salt: bytes = SALT) -> str:
    known = hashlib.scrypt(password.encode(), salt=salt, n=2**logarithm, r=r, p=p, maxmem=2**28, dklen=32)
    return f"$scrypt$ln={logarithm},r={r},p={p}${b64encode_unpadded(salt)}${b64encode_unpadded(known)}"


def phc_argon2(variety: str, memory: int, passes: int, lanes: int, *, length: int = 32, version: int = 19) -> str:
    kind = ARGON2_TYPES[variety]
    return argon2.low_level.hash_secret(PASSWORD.encode(), SALT, passes, memory, lanes, length, kind, version).decode()


def crypt_bcrypt(cost: int, letter: str = "b", password: str = PASSWORD) -> str:
    made = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(cost)).decode()
    return f"$2{letter}{made[3:]}"


def django_hash(hasher: Any, *cost: Any, password: str = PASSWORD) -> str:
    return str(hasher.encode(password, "asaltofthepast", *cost))


HASH_FORMATS: dict[str, Callable[[], str]] = {
    "Django, PBKDF2 with SHA-256": lambda: django_hash(hashers.PBKDF2PasswordHasher(), 20_000),
    "Django, PBKDF2 with SHA-1": lambda: django_hash(hashers.PBKDF2SHA1PasswordHasher(), 20_000),
    "Django, scrypt": lambda: django_hash(hashers.ScryptPasswordHasher(), 2**14, 8, 1),
    "Django, Argon2": lambda: hashers.Argon2PasswordHasher().encode(PASSWORD, "asaltofthepast"),
    "Django, bcrypt": lambda: f"bcrypt{crypt_bcrypt(4).replace('$2b', '$$2b', 1)}",
    "Django, bcrypt of SHA-256": lambda: hashers.BCryptSHA256PasswordHasher().encode(PASSWORD, bcrypt.gensalt(4)),  # type: ignore[arg-type]  # bytes: bcrypt's own salt
    "bcrypt, 2a": lambda: crypt_bcrypt(10, "a"),
    "bcrypt, 2b": lambda: crypt_bcrypt(4, "b"),
    "bcrypt, 2y": lambda: crypt_bcrypt(4, "y"),
    "Argon2id": lambda: phc_argon2("id", 65_536, 3, 4),
    "Argon2i": lambda: phc_argon2("i", 4_096, 3, 1),
    "Argon2d": lambda: phc_argon2("d", 4_096, 3, 1),
    "Argon2id, version 16": lambda: phc_argon2("id", 4_096, 3, 1, version=16),
    "Argon2id, 64 bytes": lambda: phc_argon2("id", 4_096, 3, 1, length=64),
    "passlib, PBKDF2 with SHA-256": lambda: passlib_pbkdf2("sha256", 29_000),
    "passlib, PBKDF2 with SHA-512": lambda: passlib_pbkdf2("sha512", 25_000),
    "PHC, PBKDF2 with SHA-256": lambda: phc_pbkdf2("sha256", 27_500, 64),
    "PHC, PBKDF2 with SHA-512": lambda: phc_pbkdf2("sha512", 210_000, 64),
    "scrypt": lambda: phc_scrypt(14, 8, 1),
    "scrypt, 64 MiB": lambda: phc_scrypt(16, 8, 1),
}


@cache
def hash_in_format(kind: str) -> str:
    """Return alice's hash in this format, computed once."""
    return HASH_FORMATS[kind]()
