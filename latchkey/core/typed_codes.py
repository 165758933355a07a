"""Codes that people read and type: random characters of Crockford's Base32, in groups.

Codes by e-mail and recovery codes have one alphabet and one way of being read, so that no person has to know which of
the two is in front of them.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: no I, L, O and U, so that no character looks like another, and no word comes about by chance."""

_DECODE_MAP = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def generate_code(length: int, group: int) -> str:
    """Return a random code of so many characters, 5 bits each, with a hyphen after each group: 7K3M-9QRT."""
    characters = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(characters[at : at + group] for at in range(0, length, group))


def normalize_typed(code: str) -> str:
    """Return the code that was meant, however it was typed: in small letters, without the hyphen, with O for 0."""
    return code.upper().translate(_DECODE_MAP)
