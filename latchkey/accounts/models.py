"""People. An e-mail address signs in; the user name is for display alone."""

import unicodedata
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.crypto import salted_hmac
from email_validator import EmailNotValidError, validate_email

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.db.statements import fetch_all
from latchkey.rate_limits.attempts import reset_attempts

EMAIL_MAX_LENGTH = 254
"""Characters (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""


def normalize_email(text: str) -> str:
    """Return the address as it is stored and compared: trimmed, NFC, lower case, its domain in Unicode.

    Raises ValueError with a sentence for whoever typed it. Nothing is looked up in the DNS.
    """
    text = text.strip()
    if len(text) > EMAIL_MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_MAX_LENGTH} characters.")
    try:
        address = validate_email(text, check_deliverability=False, strict=True).normalized.lower()
    except EmailNotValidError as error:
        raise ValueError("This is not a valid e-mail address.") from error
    if len(address) > EMAIL_MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_MAX_LENGTH} characters.")
    return address


def normalize_for_lookup(text: str) -> str:
    """Return the canonical form, or the text itself where it can be nobody's: a name to count attempts by."""
    try:
        return normalize_email(text)
    except ValueError:
        return text


LOGIN_COLUMNS = ("id", "password", "email", "email_verified_at", "is_active", "is_staff", "credential_version")
"""In the order of the fields."""
SELECT_BY_EMAIL = f"SELECT {', '.join(LOGIN_COLUMNS)} FROM latchkey_user WHERE email = %(email)s"  # noqa: S608 - names of ours


def normalize_password(password: str) -> str:
    """Return the password in NFC, so that it is the same on every keyboard; nothing is trimmed or folded."""
    return unicodedata.normalize("NFC", password)


def clean_email(text: str) -> str:
    """Return the canonical address, or raise Django's ValidationError."""
    try:
        return normalize_email(text)
    except ValueError as error:
        raise ValidationError({"email": str(error)}, code="invalid") from error


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Add a user; the password is hashed, or unusable where it is None."""
        user = self.model(email=clean_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Add a superuser; raises ValidationError where no account could be registered with this password."""
        if password is not None:
            validate_password(password, self.model(email=email, **extra))
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail address in any spelling of it; raises User.DoesNotExist.

        Every sign-in asks this. What only the admin area needs is left out, and read when it is asked for.
        """
        try:
            rows = fetch_all(SELECT_BY_EMAIL, {"email": normalize_email(username or "")})
        except ValueError as error:
            raise self.model.DoesNotExist from error
        if not rows:
            raise self.model.DoesNotExist
        return self.model.from_db(self.db, LOGIN_COLUMNS, rows[0])


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in.

    credential_version is copied into each session at sign-in, and a session is live only while the two
    agree: raising it ends every session of the user at once, however many there are.
    """

    password = models.CharField(max_length=256)  # hashes that were brought along are longer than Django's 128
    email = models.EmailField("e-mail address", max_length=EMAIL_MAX_LENGTH, unique=True)
    email_verified_at = models.DateTimeField("e-mail verified", null=True, blank=True, editable=False)
    username = models.CharField("user name", max_length=150, blank=True, help_text="For display; signs nobody in.")
    is_active = models.BooleanField("active", default=True, help_text="Inactive users cannot sign in.")
    is_staff = models.BooleanField("staff", default=False, help_text="May open this admin area.")
    created_at = models.DateTimeField("registered", default=clock.now, editable=False)
    credential_version = models.PositiveIntegerField(default=0, editable=False)
    changed_by: ClientInfo | None = None  # who changes the account, where that is known: told with a new password
    _has_new_password = False  # until it is saved
    last_login = None  # it would cost a write per login; a session knows when it was made and used

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        app_label = "latchkey"
        ordering = ("id",)

    @property
    def safe_display_name(self) -> str:
        """The user name as far as mails repeat it: a stranger's words are sent to nobody (docs/mail.md)."""
        return self.username if self.email_verified_at else ""

    def clean(self) -> None:
        self.email = clean_email(self.email)

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save, ending every session where the password was set or the user is inactive; a new password is told of.

        Here and not in a verb, because the shell, the admin and createsuperuser's kin all come through here.
        The version only ever goes up: a row that was loaded long ago must not bring ended sessions back.
        """
        ends_sessions = self._has_new_password or not self.is_active
        raises = not self._state.adding and (ends_sessions or update_fields is None)
        if raises:
            self.credential_version = models.F("credential_version") + int(ends_sessions)
            update_fields = None if update_fields is None else {*update_fields, "credential_version"}
        replaces = self._has_new_password and not self._state.adding
        with transaction.atomic() if replaces else nullcontext():
            if replaces:
                reset_attempts(self.email)
            super().save(*args, update_fields=update_fields, **kwargs)
            if replaces:
                record(Event.PASSWORD_CHANGED, self.changed_by, user_id=self.pk)
        self._has_new_password = False
        if raises:
            self.refresh_from_db(fields=["credential_version"])

    def set_display_name(self, username: str) -> "User":
        """Store the display name and return the user as it now is; nothing else of the row is written."""
        type(self).objects.filter(pk=self.pk).update(username=username)
        self.username = username
        return self

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password if raw_password is None else normalize_password(raw_password))
        self._has_new_password = True

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._has_new_password = True

    def check_password(self, raw_password: str | None) -> bool:
        """Compare; a stored hash that cannot be read matches nothing, and costs the same."""
        try:
            return check_password(normalize_password(raw_password or ""), self.password, self._rehash)
        except ValueError:
            make_password(raw_password or "")
            return False

    def _rehash(self, password: str) -> None:
        """Store the same password under today's parameters; no session ends, and a newer password is left alone."""
        type(self).objects.filter(pk=self.pk, password=self.password).update(password=make_password(password))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie the admin's cookie to credential_version too, instead of Django's choice, the password hash."""
        return salted_hmac(
            "latchkey admin session", str(self.credential_version), secret=secret, algorithm="sha256"
        ).hexdigest()
