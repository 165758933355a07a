"""Record of an imported account: its fields, parsed strictly, because a typing error could lock a user out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from latchkey.accounts.models import User
from latchkey.authorization.custom_claims import parse_claims, validate_claims
from latchkey.authorization.models import NAME
from latchkey.authorization.token_claims import build_token_claims
from latchkey.core import clock
from latchkey.import_export.email_cache import normalize_email_cached
from latchkey.import_export.password_hashes import to_django_encoding
from latchkey.import_export.totp_secrets import parse_totp_secret

EXPORT_FIELDS = (
    *("id", "email", "username", "password_hash", "is_active", "is_staff", "is_superuser"),
    *("created_at", "email_verified_at", "roles", "claims"),
)
"""Fields that `latchkey users export` writes, in this order."""

TOTP_SECRET = "totp_secret"  # noqa: S105 - the name of a field
"""Field that `latchkey users export` writes only where it is asked to: it is no hash, and shows every code."""

IMPORT_FIELDS = frozenset({*EXPORT_FIELDS, TOTP_SECRET, "password", "email_verified"})
"""Fields that `latchkey users import` reads."""

MAX_NAME_LENGTH = User._meta.get_field("username").max_length or 0
MAX_ID = 2**53 - 1  # numbers up to here are safe in JSON (RFC 8259 section 6); 0 was the first superuser's until 2026
MIN_DATETIME, MAX_FUTURE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(days=1)
"""The earliest time, and how far the latest may be ahead, as clocks differ; others are a wrong unit or column."""

_TRUE, _FALSE = ("true", "t", "yes", "1"), ("false", "f", "no", "0")


@dataclass(frozen=True, slots=True)
class Account:
    """An account to import. password_hash is in Django's encoding, password is plain text, and either may be empty.

    totp_secret is the secret of an authenticator app, empty without one. claims are None where there are none.
    """

    id: int | None
    email: str
    username: str
    password_hash: str
    password: str
    is_active: bool
    is_staff: bool
    is_superuser: bool
    created_at: datetime
    email_verified_at: datetime | None
    totp_secret: bytes
    roles: tuple[str, ...] = ()
    claims: dict[str, Any] | None = None
    token_claims: str = ""


def parse_account(values: Mapping[str, Any]) -> Account:
    """Return the account; raises ValueError with the field and a sentence that does not repeat its value."""
    now = clock.now()
    password, password_hash = _text(values, "password"), _text(values, "password_hash")
    if password and password_hash:
        raise ValueError("password: There is a password_hash, too; give only one of the two.")
    roles, claims = _roles(values), _convert("claims", _claims, values.get("claims"))
    verified = now if _bool(values, "email_verified", default=False) else None
    return Account(
        id=_id(values),
        email=_convert("email", _email, _text(values, "email")),
        username=_name(values),
        password_hash=_convert("password_hash", to_django_encoding, password_hash) if password_hash else "",
        password=password,
        is_active=_bool(values, "is_active", default=True),
        is_staff=_bool(values, "is_staff", default=False),
        is_superuser=_bool(values, "is_superuser", default=False),
        created_at=_datetime(values, "created_at", now) or now,
        email_verified_at=_datetime(values, "email_verified_at", now) or verified,
        totp_secret=_totp_secret(values),
        roles=roles,
        claims=claims,
        token_claims=_convert("roles", lambda names: build_token_claims(names, claims), roles),
    )


def _roles(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of roles, which are an array, or a text with spaces between them; raises ValueError."""
    value = values.get("roles")
    names = value if isinstance(value, list) else _text(values, "roles").split()
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names):
        raise ValueError("roles: These must be names of roles, in an array or with spaces between them.")
    return tuple(sorted(set(names)))


def _claims(value: Any) -> dict[str, Any] | None:
    """Return custom claims, which are an object, or JSON as a text; None where there are none."""
    if isinstance(value, str):
        return (parse_claims(value) if value.strip() else None) or None
    return None if value is None else validate_claims(value) or None


def _totp_secret(values: Mapping[str, Any]) -> bytes:
    text = _text(values, TOTP_SECRET)
    try:
        return parse_totp_secret(text) if text.strip() else b""
    except ValueError as error:
        raise ValueError(f"{TOTP_SECRET}: {error}") from error


def _convert(field: str, check: Any, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from error


def _email(text: str) -> str:
    if not text.strip():
        raise ValueError("It is missing.")
    return normalize_email_cached(text)


def _text(values: Mapping[str, Any], field: str) -> str:
    """Return a text that a database can store, '' if it is missing; raises ValueError."""
    value = values.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"{field}: This must be text.")
    if not value.isprintable() and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise ValueError(f"{field}: This has an invalid character.")
    return value


def _name(values: Mapping[str, Any]) -> str:
    name = _text(values, "username")
    if len(name) > MAX_NAME_LENGTH:
        raise ValueError(f"username: A display name has at most {MAX_NAME_LENGTH} characters.")
    return name


def _bool(values: Mapping[str, Any], field: str, *, default: bool) -> bool:
    value = values.get(field)
    word = str(value).lower() if isinstance(value, str | int) else value
    if word in (None, ""):
        return default
    if word not in (*_TRUE, *_FALSE):
        raise ValueError(f"{field}: This must be true or false.")
    return word in _TRUE


def _id(values: Mapping[str, Any]) -> int | None:
    value = values.get("id")
    if value in (None, ""):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise ValueError("id: This must be a whole number from 0.")
    return value


def _datetime(values: Mapping[str, Any], field: str, now: datetime) -> datetime | None:
    """Return a time in UTC, None if it is missing; one without a time zone is UTC. Raises ValueError."""
    value = values.get(field)
    if value in (None, ""):
        return None
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{field}: This must be a time such as 2026-01-31T12:00:00Z.") from error
    if not MIN_DATETIME <= at <= now + MAX_FUTURE:
        raise ValueError(f"{field}: This must be a time from 1970 to now.")
    return at
