"""Conversion of password hashes from other systems (PHC strings, crypt, passlib, Keycloak) to Django's encoding.

The hash itself is kept, so users keep their passwords; hashing/legacy.py verifies it at the first sign-in.
"""

import base64
import re
from typing import Any

from django.contrib.auth.hashers import get_hasher

from latchkey.hashing.argon2 import MEMORY_KIB, TIME_COST
from latchkey.hashing.legacy import MAX_MEMORY_KIB, b64decode_unpadded

MAX_COST = 50
"""Times the cost of one of our hashes, about a second: no sign-in may delay the others for longer."""

MAX_LANES = 16
"""Highest parallelism of Argon2: the threads that it starts for one hash."""

MAX_LENGTH = 256
"""Characters of a hash, as many as the column has."""

_PHC = re.compile(r"\$(?:argon2|scrypt|pbkdf2-).*")
_PADDING = re.compile(r"=+(?=\$|$)")
_UNUSABLE = re.compile(r"![!-~]*")
_BCRYPT = re.compile(r"\$2[aby]\$.+")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$.+")
_SCRYPT = re.compile(r"\$scrypt\$ln=([1-9][0-9]?),r=([0-9]+),p=([0-9]+)\$([^$]+)\$([^$]+)")
_PBKDF2 = re.compile(r"\$pbkdf2-(sha256|sha512)\$(?:i=)?([0-9]+)(?:,l=[0-9]+)?\$([^$]+)\$([^$]+)")

_SALTED_BCRYPT = re.compile(
    r"\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]"
)
_PATTERNS = {  # of the part after the algorithm; the groups are base64 without padding: the salt, then the hash
    "argon2": re.compile(
        r"argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=[1-9][0-9]{0,8},t=[1-9][0-9]{0,4},p=[1-9][0-9]?"
        r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
    ),
    "bcrypt": _SALTED_BCRYPT,
    "bcrypt_sha256": _SALTED_BCRYPT,
    "pbkdf2_sha1": re.compile(r"[1-9][0-9]{0,9}\$[!-#%-~]{1,64}\$[A-Za-z0-9+/]{27}="),
    "pbkdf2_sha256": re.compile(r"[1-9][0-9]{0,9}\$[!-#%-~]{1,64}\$[A-Za-z0-9+/]{43}="),
    "pbkdf2_sha256_phc": re.compile(r"[1-9][0-9]{0,9}\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"),
    "pbkdf2_sha512_phc": re.compile(r"[1-9][0-9]{0,9}\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"),
    "scrypt": re.compile(r"[1-9][0-9]{0,9}\$[!-#%-~]{1,64}\$[1-9][0-9]{0,3}\$[1-9][0-9]{0,3}\$[A-Za-z0-9+/]{86}=="),
    "scrypt_phc": re.compile(r"[1-9][0-9]{0,9}\$([A-Za-z0-9+/]+)\$[1-9][0-9]{0,3}\$[1-9][0-9]{0,3}\$([A-Za-z0-9+/]+)"),
}


def to_django_encoding(text: str) -> str:
    """Return the hash in Django's encoding; an unusable one (`!...`) stays as it is.

    A hash that is too costly to check is refused, because one sign-in with it would block the server. Raises ValueError
    with a sentence that repeats nothing of the hash.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError("This is too long for a hash.")
    if _UNUSABLE.fullmatch(text):
        return text
    named = _identify(text)
    algorithm, _, rest = named.partition("$")
    form = _PATTERNS.get(algorithm)
    if form is None:
        raise ValueError("A hash of this kind cannot be imported.")
    found = form.fullmatch(rest)
    if found is None or not _is_well_formed(algorithm, named, *found.groups()):
        raise ValueError("This hash is damaged.")
    hasher: Any = get_hasher(algorithm)
    if hasher.cost(named) > MAX_COST * MEMORY_KIB * TIME_COST or hasher.memory_kib(named) > MAX_MEMORY_KIB:
        raise ValueError("Checking this hash takes more time or memory than a sign-in may.")
    return named


def _identify(text: str) -> str:
    """Put Django's name of the algorithm before a PHC or crypt string; any other text is returned as it is."""
    if _PHC.fullmatch(text):
        text = _PADDING.sub("", text)  # Keycloak's base64 has padding
    if _BCRYPT.fullmatch(text):
        return f"bcrypt${text}"
    if _ARGON2.fullmatch(text):
        return f"argon2{text}"
    text = text.replace(".", "+") if text.startswith("$pbkdf2-") else text  # passlib's own base64
    if found := _PBKDF2.fullmatch(text):
        variant, iterations, salt, known = found.groups()
        return f"pbkdf2_{variant}_phc${iterations}${salt}${known}"
    if found := _SCRYPT.fullmatch(text):
        logarithm, r, p, salt, known = found.groups()
        return f"scrypt_phc${1 << int(logarithm)}${salt}${r}${p}${known}"
    return text


def _is_well_formed(algorithm: str, named: str, salt: str = "", known: str = "") -> bool:
    """Return whether the hash can match a password, and not too many: a hash of a few bytes matches many."""
    try:
        if known and not (_is_canonical_base64(salt, 1) and _is_canonical_base64(known, 16)):
            return False
    except ValueError:
        return False
    hasher: Any = get_hasher(algorithm)
    parts = hasher.decode(named)
    if algorithm == "argon2":
        return bool(8 * parts["parallelism"] <= parts["memory_cost"] and parts["parallelism"] <= MAX_LANES)
    factor = parts.get("work_factor", 0)
    return not algorithm.startswith("scrypt") or (factor > 1 and factor & (factor - 1) == 0)


def _is_canonical_base64(text: str, min_bytes: int) -> bool:
    """Return whether this is base64 of min_bytes to 64 bytes, with no bits set beyond the last byte."""
    data = b64decode_unpadded(text)
    return min_bytes <= len(data) <= 64 and base64.b64encode(data).decode().rstrip("=") == text
