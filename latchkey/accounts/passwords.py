"""Passwords: how they are compared, hashed, and which ones are let in (NIST SP 800-63B-4 section 3.1.1.2)."""

import unicodedata
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from latchkey.core.errors import PasswordTooCommon, PasswordTooLong, PasswordTooShort
from latchkey.core.policy import current

LENGTH_LIMIT = 256
"""Code points; longer ones are refused before anything is hashed."""


def normalized(password: str) -> str:
    """Return the password in NFC, so that it is the same on every keyboard; nothing is trimmed or folded."""
    return unicodedata.normalize("NFC", password)


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet)."""

    memory_cost, time_cost, parallelism = 19_456, 2, 1


class LengthValidator:
    """Count code points: at least the policy's minimum, at most 256."""

    def validate(self, password: str, user: Any = None) -> None:
        length = len(normalized(password))
        if length > LENGTH_LIMIT:
            raise ValidationError(PasswordTooLong.detail, code=PasswordTooLong.code)
        if length < current().password_min_length:
            raise ValidationError(PasswordTooShort.detail, code=PasswordTooShort.code)

    def get_help_text(self) -> str:
        return f"At least {current().password_min_length} characters; several words in a row make a good password."


class BlocklistValidator(CommonPasswordValidator):
    """Refuse the 20,000 most common passwords (Django's list) while the policy says so."""

    def validate(self, password: str, user: Any = None) -> None:
        if current().password_blocklist and normalized(password).lower().strip() in self.passwords:
            raise ValidationError(PasswordTooCommon.detail, code=PasswordTooCommon.code)

    def get_help_text(self) -> str:
        return "Not one of the common ones." if current().password_blocklist else ""
