"""Password hashes as other systems write them, put into Django's encoding without a loss."""

import base64
import re
from typing import Any

from django.contrib.auth.hashers import get_hasher

from latchkey.hashing.argon2 import MEMORY_KIB, TIME_COST
from latchkey.hashing.legacy import MAX_MEMORY_KIB, b64decode_unpadded

MAX_COST = 50
"""Times the work of one of our hashes, about a second: no sign-in may hold up the others for longer."""

MAX_LANES = 16
"""Threads that Argon2 starts for one hash."""

MAX_LENGTH = 256
"""Characters, as many as the column has."""

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
_PATTERNS = {  # of what comes behind the name; a group is base64 without padding, first the salt and then the hash
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
    """Return the hash as Django writes it; one that is unusable (`!...`) stays as it is.

    A hash whose check takes too long or too much memory is refused, as one sign-in would hang the server. Raises
    ValueError with a sentence that repeats nothing of the hash.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError("This is too long for a hash.")
    if _UNUSABLE.fullmatch(text):
        return text
    named = _identify(text)
    algorithm, _, rest = named.partition("$")
    form = _PATTERNS.get(algorithm)
    if form is None:
        raise ValueError("A hash of this kind cannot be carried over.")
    found = form.fullmatch(rest)
    if found is None or not _is_well_formed(algorithm, named, *found.groups()):
        raise ValueError("This hash is damaged.")
    hasher: Any = get_hasher(algorithm)
    if hasher.cost(named) > MAX_COST * MEMORY_KIB * TIME_COST or hasher.memory_kib(named) > MAX_MEMORY_KIB:
        raise ValueError("To check this hash takes longer, or more memory, than a sign-in may.")
    return named


def _identify(text: str) -> str:
    """Put Django's name before a PHC or crypt string; what has one already, or none that we know, is left alone."""
    if _PHC.fullmatch(text):
        text = _PADDING.sub("", text)  # such as Keycloak has
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
    """Tell whether the hash can match anything, and not too much: a few bytes of hash match many passwords."""
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


def _is_canonical_base64(text: str, fewest: int) -> bool:
    """Tell whether this is base64 of so many bytes and of 64 at most, with nothing in its spare bits."""
    data = b64decode_unpadded(text)
    return fewest <= len(data) <= 64 and base64.b64encode(data).decode().rstrip("=") == text
