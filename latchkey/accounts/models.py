"""The user model: people sign in with an e-mail address and a password; the username is a display name only.

Beside it stands how addresses and passwords are normalized, so that one mailbox is one account however it is spelled,
and a password is the same on every keyboard.
"""

import unicodedata
from collections.abc import Collection, Iterable
from contextlib import nullcontext
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.crypto import salted_hmac
from email_validator import EmailNotValidError, validate_email

from latchkey.audit.events import Event
from latchkey.audit.log import COMMAND_LINE, Operator, record, record_by
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import LastSuperuser
from latchkey.db.statements import fetch_all
from latchkey.hashing.legacy import is_imported, verify_imported
from latchkey.rate_limits.attempts import forget_attempts, reset_attempts
from latchkey.tokens.authentication_methods import Authentication

EMAIL_MAX_LENGTH = 254
"""Characters of an e-mail address (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""

LOGIN_COLUMNS = (
    *("id", "password", "email", "email_verified_at", "is_active", "is_staff", "credential_version"),
    *("second_factors", "token_claims"),
)
"""Columns of the user that a sign-in reads, in the order of the model's fields."""

ADMINISTRATOR_FLAGS = frozenset({"is_active", "is_staff", "is_superuser"})
"""Columns that make an administrator: an active superuser who may open the admin area."""

WRITTEN_ELSEWHERE = ("second_factors", "claims", "token_claims")
"""Columns that one module alone writes, and save() never."""

SELECT_BY_EMAIL = f"SELECT {', '.join(LOGIN_COLUMNS)} FROM latchkey_user WHERE email = %(email)s"  # noqa: S608 - names of ours


_REASONS = (
    ("special-use", "its domain is reserved for special use; the operator of this service can allow it"),
    ("should have a period", "its domain has no dot"),
    ("top-level domain", "its domain ends in no known way"),
    ("must have an @-sign", "it has no at sign"),
    ("at-sign", "it has an unusual at sign"),
    ("something before", "nothing stands before the at sign"),
    ("something after", "nothing stands after the at sign"),
    ("too long before", "the part before the at sign is too long"),
    ("too long after", "its domain is too long"),
    ("too long", "it is too long"),
    ("separated by so many", "a part of its domain is too long"),
    ("angle bracket", "write it without a name and brackets"),
    ("quote", "quotation marks are not supported"),
    ("brackets", "an IP address in place of a domain is not supported"),
    ("two periods", "it has two dots in a row"),
    ("after the email address", "something follows the address"),
    ("before the @-sign", "the part before the at sign has a character that is not allowed there"),
    ("after the @-sign", "its domain has a character that is not allowed there"),
    ("after a period", "its domain has a character that is not allowed there"),
    ("period", "a dot or a hyphen stands in the wrong place"),
    ("hyphen", "a dot or a hyphen stands in the wrong place"),
)
"""Words of the library's sentences, in the order in which they are looked for, and what is wrong in words of ours."""

_PROBE = ".example"
"""A domain that the library accepts: a special-use domain is checked as if it were a part of it."""


def normalize_email(text: str) -> str:
    """Return the address as it is stored and compared: trimmed, NFC, lower case, its domain in Unicode.

    Raises ValueError with a sentence for the person who typed it, which gives the reason. No DNS look-up is made.
    """
    text = text.strip()
    if len(text) > EMAIL_MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_MAX_LENGTH} characters.")
    address = parse_address(text).lower()
    if len(address) > EMAIL_MAX_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_MAX_LENGTH} characters.")
    return address


def parse_address(text: str) -> str:
    """Return the address as the library normalizes it; raises ValueError with a sentence that gives the reason.

    No DNS look-up is made.
    """
    try:
        return str(validate_email(text, check_deliverability=False, strict=True).normalized)
    except EmailNotValidError as error:
        if address := _parse_special_address(text):
            return address
        raise ValueError(f"This is not a valid e-mail address{_reason(str(error))}.") from error


def _parse_special_address(text: str) -> str | None:
    """Return an address at a special-use domain of LATCHKEY_EMAIL_SPECIAL_DOMAINS, None for any other text."""
    if not settings.EMAIL_SPECIAL_DOMAINS:
        return None
    try:
        probed = str(validate_email(f"{text}{_PROBE}", check_deliverability=False, strict=True).normalized)
    except EmailNotValidError:
        return None
    address = probed.removesuffix(_PROBE)
    domain = address.rpartition("@")[2].lower()
    allowed = any(domain == name or domain.endswith(f".{name}") for name in settings.EMAIL_SPECIAL_DOMAINS)
    return address if allowed and address != probed else None


def _reason(sentence: str) -> str:
    reason = next((reason for words, reason in _REASONS if words in sentence), "")
    return f": {reason}" if reason else ""


def normalize_for_lookup(text: str) -> str:
    """Return the normalized address, or the text itself where it is no address.

    Attempts at a text that can be nobody's address are counted by that text.
    """
    try:
        return normalize_email(text)
    except ValueError:
        return text


def clean_email(text: str) -> str:
    """Return the normalized address; raises Django's ValidationError, for model forms and managers."""
    try:
        return normalize_email(text)
    except ValueError as error:
        raise ValidationError({"email": str(error)}, code="invalid") from error


def normalize_password(password: str) -> str:
    """Return the password in Unicode NFC (NIST SP 800-63B-4 section 3.1.1.2); nothing is trimmed or folded.

    Keyboards compose accented letters differently, and the hash of the same password has to be the same.
    """
    return unicodedata.normalize("NFC", password)


class UserManager(BaseUserManager["User"]):
    """Creates users, and finds them by e-mail address at sign-in."""

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a user; the password is hashed, or unusable where it is None."""
        user = self.model(email=clean_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "User":
        """Create a superuser at the command line.

        Raises ValidationError for a password that registration would not accept either.
        """
        if password is not None:
            validate_password(password, self.model(email=email, **extra))
        with transaction.atomic():
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **extra)
            record_by(COMMAND_LINE, Event.USER_REGISTERED, user_id=user.pk, detail="superuser")
        return user

    def administrators(self) -> set[int]:
        """Return the ids of the active superusers who can open the admin area; if none can, of all active superusers.

        The rows are locked, so that two administrators cannot demote each other at the same time.
        """
        active = self.filter(is_superuser=True, is_active=True).select_for_update(no_key=True).order_by("pk")
        found = dict(active.values_list("pk", "is_staff"))
        return {pk for pk, is_staff in found.items() if is_staff} or set(found)

    def keep_an_administrator(self, leaving: Collection[int]) -> None:
        """Raise LastSuperuser if nobody could administer the service without these users.

        Call it in the transaction that deletes, deactivates or demotes them. For other users it locks nothing.
        """
        if self.filter(pk__in=leaving, is_superuser=True, is_active=True).exists():
            administrators = self.administrators()
            if administrators and administrators <= set(leaving):
                raise LastSuperuser

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this e-mail address, in any spelling of it; raises User.DoesNotExist.

        Django calls this at every sign-in. Only LOGIN_COLUMNS are read; the other fields are deferred.
        """
        try:
            rows = fetch_all(SELECT_BY_EMAIL, {"email": normalize_email(username or "")})
        except ValueError as error:
            raise self.model.DoesNotExist from error
        if not rows:
            raise self.model.DoesNotExist
        return self.model.from_db(self.db, LOGIN_COLUMNS, rows[0])


class User(AbstractBaseUser, PermissionsMixin):
    """An account, which belongs to a person who can sign in.

    credential_version is copied into each session at sign-in, and a session is live only while the two agree. Raising
    it ends every session of the user in one write, however many there are.

    second_factors counts the confirmed second factors, TOTP and passkeys, so that a sign-in knows without a further
    statement whether to ask for one; factors/changes.py alone changes it. user_handle is the random id of the account
    at authenticators (WebAuthn level 3, section 5.4.3). claims are custom claims, a JSON object, and token_claims is
    what access tokens say of roles and of them; authorization/token_claims.py alone writes both.
    """

    password = models.CharField(max_length=256)  # imported hashes are longer than Django's 128
    email = models.EmailField("e-mail address", max_length=EMAIL_MAX_LENGTH, unique=True)
    email_verified_at = models.DateTimeField("e-mail verified", null=True, blank=True, editable=False)
    username = models.CharField(
        "display name", max_length=150, blank=True, help_text="Display only: people sign in with the e-mail address."
    )
    is_active = models.BooleanField("active", default=True, help_text="Inactive users cannot sign in.")
    is_staff = models.BooleanField("staff", default=False, help_text="May open this admin area.")
    created_at = models.DateTimeField("registered", default=clock.now, editable=False)
    credential_version = models.PositiveIntegerField(default=0, editable=False)
    second_factors = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    user_handle = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    claims = models.JSONField("custom claims", null=True, blank=True, editable=False)
    token_claims = models.TextField(default="", db_default="", blank=True, editable=False)
    changed_by: ClientInfo | None = None  # the client that changes the account, if known: part of the event
    operator: Operator | None = None  # who changes the account for its owner, if an operator does
    _has_new_password = False  # until it is saved
    _stored_email: str | None = None  # as it was read from the database
    authentication = Authentication(0, 0)  # of the session: this and the next two are of a caller
    has_verified_email = False  # of the caller, whose email_verified_at is deferred
    principal: Any = None  # the Principal of the caller: set by bearer_tokens.authentication
    last_login = None  # it would cost a write per login; a session knows when it was created and used

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        app_label = "latchkey"
        ordering = ("id",)
        permissions = (("reset_second_factor", "Can reset the second factor of a user"),)
        indexes = tuple(  # of lists of users, the newest first
            models.Index(fields=("created_at", "id"), name=f"latchkey_user_{name}", condition=condition)
            for name, condition in {
                "created": None,
                "active": models.Q(is_active=True),
                "inactive": models.Q(is_active=False),
                "unverified": models.Q(email_verified_at=None),
            }.items()
        )

    @property
    def safe_display_name(self) -> str:
        """The display name that mails may repeat: empty until the e-mail address is verified.

        Otherwise anybody could have words of theirs mailed to an address that is not theirs (docs/mail.md).
        """
        return self.username if self.email_verified_at else ""

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> "User":
        """Build a user from a row, and remember its address: save() has to know whether it is another one."""
        user = super().from_db(db, field_names, values, **options)
        user._stored_email = user.__dict__.get("email")
        return user

    def clean(self) -> None:
        """Normalize the address that the admin's form has stored."""
        self.email = clean_email(self.email)

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the user; a new password, or an inactive user, ends every session. A new password is an event, too.

        This is in save(), not in a use case (decision 13), because the shell, the admin and createsuperuser all come
        through here. The version only ever rises: saving an object that was loaded long ago must not bring back
        sessions that have been ended since. An address that the account did not have before starts without failures:
        what strangers guessed at it, when it was nobody's, is forgotten. Raises LastSuperuser if it would leave no
        active superuser.
        """
        ends_sessions = self._has_new_password or not self.is_active
        raises_version = not self._state.adding and (ends_sessions or update_fields is None)
        if raises_version:
            self.credential_version = models.F("credential_version") + int(ends_sessions)
            if update_fields is None:  # an object that was loaded long ago must not bring back a count or roles, either
                for name in WRITTEN_ELSEWHERE:
                    setattr(self, name, models.F(name))
            update_fields = None if update_fields is None else {*update_fields, "credential_version"}
        replaces_password = self._has_new_password and not self._state.adding
        email = self.__dict__.get("email")  # None: deferred, so it is not saved
        gets_address = email not in (None, self._stored_email) and (update_fields is None or "email" in update_fields)
        demotes = self._may_demote(update_fields)
        several = replaces_password or gets_address or demotes
        with transaction.atomic(savepoint=False) if several else nullcontext():
            if demotes:
                type(self).objects.keep_an_administrator([self.pk])
            if gets_address:
                forget_attempts([self.email])
            if replaces_password:
                reset_attempts(self.email)
            super().save(*args, update_fields=update_fields, **kwargs)
            if replaces_password:
                self._record_new_password()
        self._has_new_password, self._stored_email = False, email or self._stored_email
        if raises_version:
            self.refresh_from_db(fields=["credential_version", *WRITTEN_ELSEWHERE])

    def _record_new_password(self) -> None:
        if self.operator:
            record_by(self.operator, Event.PASSWORD_CHANGED, user_id=self.pk)
        else:
            record(Event.PASSWORD_CHANGED, self.changed_by, user_id=self.pk)

    def _may_demote(self, update_fields: Iterable[str] | None) -> bool:
        """Return whether a save writes values that no administrator has; deferred fields are not written."""
        if self._state.adding:
            return False
        written = ADMINISTRATOR_FLAGS - self.get_deferred_fields()
        written = written if update_fields is None else written.intersection(update_fields)
        return not all(getattr(self, name) for name in written)

    def set_display_name(self, username: str) -> "User":
        """Store the display name and return the user as it now is; no other column is written."""
        type(self).objects.filter(pk=self.pk).update(username=username)
        self.username = username
        return self

    def set_password(self, raw_password: str | None) -> None:
        """Hash the normalized password, or make it unusable where it is None; nothing is stored before save()."""
        super().set_password(raw_password if raw_password is None else normalize_password(raw_password))
        self._has_new_password = True

    def set_unusable_password(self) -> None:
        """Store a hash that no password matches; like any new password it ends every session."""

        super().set_unusable_password()
        self._has_new_password = True

    def check_password(self, raw_password: str | None) -> bool:
        """Compare with the stored hash; one that cannot be read matches nothing, and takes as much time.

        Other systems hash a password as it is typed, so an imported hash is compared with that spelling, too, and
        replaced by that of the normalized one (decision 26).
        """
        as_sent = raw_password or ""
        password = normalize_password(as_sent)
        try:
            if as_sent != password and is_imported(self.password):
                matches = verify_imported((as_sent, password), self.password)
                if matches:
                    self._rehash(password)
                return matches
            return check_password(password, self.password, self._rehash)
        except ValueError:
            make_password(raw_password or "")
            return False

    def _rehash(self, password: str) -> None:
        """Store the same password hashed with today's parameters; no session ends, and a newer password is kept."""
        type(self).objects.filter(pk=self.pk, password=self.password).update(password=make_password(password))

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return the HMAC in the admin's cookie: of credential_version, where Django takes the password hash.

        So whatever ends the sessions of a user ends the admin's cookie, too.
        """
        return salted_hmac(
            "latchkey admin session", str(self.credential_version), secret=secret, algorithm="sha256"
        ).hexdigest()
