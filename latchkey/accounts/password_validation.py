"""Password rules for new passwords: length, blocklist, context-specific words (NIST SP 800-63B-4 section 3.1.1.2).

There are no composition rules ("one digit, one symbol"): NIST forbids them, as they do not stop guessing.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator, validate_password
from django.core.exceptions import ValidationError

from latchkey.accounts.models import User, normalize_password
from latchkey.conf.policy import current_policy
from latchkey.core import exceptions as errors
from latchkey.core.exceptions import (
    PASSWORD_MAX_LENGTH,
    PasswordTooCommon,
    PasswordTooLong,
    PasswordTooObvious,
    PasswordTooShort,
)

MIN_WORD = 3
"""Letters and digits of a context-specific word; shorter ones turn up in good passwords by chance."""

_ERRORS_BY_CODE: dict[str, type[errors.BadRequest]] = {
    error.code: error
    for error in (
        errors.PasswordTooShort,
        errors.PasswordTooLong,
        errors.PasswordTooCommon,
        errors.PasswordTooObvious,
    )
}


def validate_new_password(password: str, user: User, field: str = "password") -> None:
    """Apply the rules to a new password of this user; raises a PasswordToo... error for the field."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        broken_rule = error.error_list[0]
        api_error = _ERRORS_BY_CODE[str(broken_rule.code)]
        raise api_error({field: broken_rule.messages}, **(broken_rule.params or {})) from error


class LengthValidator:
    """Django password validator: at least the policy's minimum of code points, at most 256."""

    def validate(self, password: str, user: Any = None) -> None:
        """Count the code points of the normalized password; raises ValidationError."""
        length = len(normalize_password(password))
        if length > PASSWORD_MAX_LENGTH:
            raise ValidationError(PasswordTooLong.detail, code=PasswordTooLong.code)
        minimum = current_policy().password_min_length
        if length < minimum:
            detail = PasswordTooShort(min_length=minimum).detail
            raise ValidationError(detail, code=PasswordTooShort.code, params={"min_length": minimum})

    def get_help_text(self) -> str:
        """Return the rule, for a person who chooses a password."""
        return (
            f"At least {current_policy().password_min_length} characters; several words in a row make a good password."
        )


class BlocklistValidator(CommonPasswordValidator):
    """Django password validator: none of almost 20,000 common passwords, while the policy says so."""

    def validate(self, password: str, user: Any = None) -> None:
        """Look the password up in Django's list; raises ValidationError."""
        if current_policy().password_blocklist and normalize_password(password).lower().strip() in self.passwords:
            raise ValidationError(PasswordTooCommon.detail, code=PasswordTooCommon.code)

    def get_help_text(self) -> str:
        """Return the rule, for a person who chooses a password; empty while the policy turns it off."""
        return "Not a commonly used password." if current_policy().password_blocklist else ""


class ContextWordsValidator:
    """Django password validator: not made of context-specific words alone (ASVS 6.2.11).

    Such words are the e-mail address and its parts, the display name, and the words given, which are the names of this
    service. Case, signs and digits around or between them do not count; other letters do, so a phrase may contain such
    a word. Django's UserAttributeSimilarityValidator does not fit: it compares letters in any order, does not know the
    service, and accepts "alicealice".
    """

    def __init__(self, words: Sequence[str] = ()) -> None:
        self.words = tuple(words)

    def validate(self, password: str, user: Any = None) -> None:
        """Compare once with digits and once without them; raises ValidationError."""
        email = getattr(user, "email", "") or ""
        context = (*self.words, email, *email.split("@"), getattr(user, "username", "") or "")
        for counts in (str.isalnum, str.isalpha):
            words = {word for text in context for word in (*_words(text, counts), _join_words(text, counts))}
            if _consists_of({word for word in words if len(word) >= MIN_WORD}, _join_words(password, counts)):
                raise ValidationError(PasswordTooObvious.detail, code=PasswordTooObvious.code)

    def get_help_text(self) -> str:
        """Return the rule, for a person who chooses a password."""
        return "Not made up of the e-mail address, the display name or the name of this service."


def _words(text: str, counts: Callable[[str], bool]) -> list[str]:
    """Return the runs of characters that count, however they are cased or composed (full-width letters included)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character if counts(character) else " " for character in folded).split()


def _join_words(text: str, counts: Callable[[str], bool]) -> str:
    return "".join(_words(text, counts))


def _consists_of(words: set[str], text: str) -> bool:
    """Return whether the text is a sequence of these words, each any number of times."""
    ends = {0}
    for start in range(len(text)):
        if start in ends:
            ends |= {start + len(word) for word in words if text.startswith(word, start)}
    return bool(text) and len(text) in ends
