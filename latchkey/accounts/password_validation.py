"""Passwords: how they are compared, and which ones are let in (NIST SP 800-63B-4 section 3.1.1.2).

Let a new password in, or refuse it.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from latchkey.accounts.models import User, normalize_password
from latchkey.conf.policy import current_policy
from latchkey.core import exceptions as errors
from latchkey.core.exceptions import PasswordTooCommon, PasswordTooLong, PasswordTooObvious, PasswordTooShort

PASSWORD_MAX_LENGTH = 256
"""Code points; longer ones are refused before anything is hashed."""

MIN_WORD = 3
"""Letters and digits; shorter context words would turn up in good passwords by chance."""


class LengthValidator:
    """Count code points: at least the policy's minimum, at most 256."""

    def validate(self, password: str, user: Any = None) -> None:
        length = len(normalize_password(password))
        if length > PASSWORD_MAX_LENGTH:
            raise ValidationError(PasswordTooLong.detail, code=PasswordTooLong.code)
        if length < current_policy().password_min_length:
            raise ValidationError(PasswordTooShort.detail, code=PasswordTooShort.code)

    def get_help_text(self) -> str:
        return (
            f"At least {current_policy().password_min_length} characters; several words in a row make a good password."
        )


class BlocklistValidator(CommonPasswordValidator):
    """Refuse the most common passwords (Django's list of almost 20,000) while the policy says so."""

    def validate(self, password: str, user: Any = None) -> None:
        if current_policy().password_blocklist and normalize_password(password).lower().strip() in self.passwords:
            raise ValidationError(PasswordTooCommon.detail, code=PasswordTooCommon.code)

    def get_help_text(self) -> str:
        return "Not one of the common ones." if current_policy().password_blocklist else ""


class ContextWordsValidator:
    """Refuse a password that is nothing but context (NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2.11).

    Context is the e-mail address and its parts, the user name, and the words given: the names of this service. Case,
    signs and digits around or between do not count; other letters do, so a phrase may contain such a word. Django's
    UserAttributeSimilarityValidator does not fit: it compares letters in any order, does not know the service, and
    lets "alicealice" pass.
    """

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = tuple(words)

    def validate(self, password: str, user: Any = None) -> None:
        email = getattr(user, "email", "") or ""
        context = (*self.words, email, *email.split("@"), getattr(user, "username", "") or "")
        for counts in (str.isalnum, str.isalpha):
            words = {word for text in context for word in (*_words(text, counts), _join_words(text, counts))}
            if _is_made_of({word for word in words if len(word) >= MIN_WORD}, _join_words(password, counts)):
                raise ValidationError(PasswordTooObvious.detail, code=PasswordTooObvious.code)

    def get_help_text(self) -> str:
        return "Not made of the e-mail address, the user name or the name of this service."


def _words(text: str, counts: Callable[[str], bool]) -> list[str]:
    """Return the runs of characters that count, however they are cased or composed (full-width letters included)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character if counts(character) else " " for character in folded).split()


def _join_words(text: str, counts: Callable[[str], bool]) -> str:
    return "".join(_words(text, counts))


def _is_made_of(words: set[str], text: str) -> bool:
    """Return whether the text is some of these words in a row, each as often as it likes."""
    ends = {0}
    for start in range(len(text)):
        if start in ends:
            ends |= {start + len(word) for word in words if text.startswith(word, start)}
    return bool(text) and len(text) in ends


_ERRORS_BY_CODE = {
    refusal.code: refusal
    for refusal in (
        errors.PasswordTooShort,
        errors.PasswordTooLong,
        errors.PasswordTooCommon,
        errors.PasswordTooObvious,
    )
}


def validate_new_password(password: str, user: User, field: str = "password") -> None:
    """Look at a new password for this user; raises a PasswordToo... refusal that blames the field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        refusal = _ERRORS_BY_CODE[str(error.error_list[0].code)]
        raise refusal({field: [refusal.detail]}) from error
