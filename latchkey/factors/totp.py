"""One-time passwords of an authenticator app (TOTP, RFC 6238): enrol an app, confirm it, use its codes, remove it.

All functions run in the caller's transaction. The parameters are those that every app has as its default: HMAC-SHA-1,
6 digits, 30 s; a code is accepted one step before and after its own (RFC 6238 section 5.2), for clocks that differ.
pyotp calculates the codes. It also accepts other spellings of a digit, and the same code again: _CODE and last_step are
against that.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from urllib.parse import quote, urlencode

import pyotp
import segno
import structlog
from django.db import connection
from pyotp.exceptions import OTPVerificationError

from latchkey.accounts.models import User
from latchkey.conf.site import current_site
from latchkey.core import clock
from latchkey.core.exceptions import TotpExists
from latchkey.db.statements import fetch_all
from latchkey.factors.locking import lock_user
from latchkey.factors.models import TOTP_ENCRYPTION, TotpSecret

SECRET_BYTES = 20
"""Random bytes of a new secret: 160 bits, as RFC 4226 section 4 recommends."""

MIN_SECRET_BYTES = 10
"""Bytes of the shortest secret that is accepted from another system: 80 bits were the default of many apps."""

STEP_SECONDS = 30
DIGITS = 6

WINDOW = 1
"""Steps before and after the present one whose codes are accepted."""

PENDING_LIFETIME = timedelta(minutes=10)
"""Time from the start of an enrolment to its confirmation. A secret on a screen that was left open is worth nothing."""

MAX_ISSUER_LENGTH, MAX_ACCOUNT_LENGTH = 60, 100
"""Characters of both names in the URI. Longer ones are cut: cameras cannot read the QR code of a very long URI."""

_CODE = re.compile(r"[0-9]{6}")

_INSERT_PENDING = """
INSERT INTO latchkey_totp (user_id, secret, last_step, created_at, confirmed_at, last_used_at)
VALUES (%(user_id)s, %(secret)s, 0, %(now)s, NULL, NULL)
ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
WHERE latchkey_totp.confirmed_at IS NULL
RETURNING user_id
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """What an authenticator app needs: the secret in base32, and the same as an otpauth:// URI, to be scanned."""

    secret: str
    uri: str
    expires_at: datetime


class _Totp(pyotp.TOTP):
    """pyotp's TOTP, for imported secrets that are shorter than those that it would generate."""

    min_secret_length_bits = 8 * MIN_SECRET_BYTES


def begin_enrolment(user: User) -> TotpEnrolment:
    """Store a new secret that is no factor yet; it replaces one that was never confirmed.

    Raises TotpExists where the user has a confirmed one: it has to be removed first.
    """
    secret, now = secrets.token_bytes(SECRET_BYTES), clock.now()
    values = {
        "user_id": user.pk,
        "secret": TOTP_ENCRYPTION.encrypt(secret),
        "now": connection.ops.adapt_datetimefield_value(now),
    }
    if not fetch_all(_INSERT_PENDING, values):
        raise TotpExists
    base32 = b32encode(secret).decode()
    return TotpEnrolment(base32, build_uri(base32, current_site().name, user.email), now + PENDING_LIFETIME)


def build_uri(secret: str, issuer: str, account: str) -> str:
    """Return the otpauth:// URI of a base32 secret, in the Key Uri Format that authenticator apps read.

    Everything is percent-encoded, spaces as %20. A colon separates the two names, so the issuer has none.
    """
    issuer, account = issuer.replace(":", " ")[:MAX_ISSUER_LENGTH], account[:MAX_ACCOUNT_LENGTH]
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote, safe="")
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='@')}?{query}"


def qr_code_svg(uri: str) -> str:
    """Return the QR code of a URI as an SVG element, without scripts and styles, as large as its container.

    The modules are black on white, with the quiet zone of 4 modules that ISO/IEC 18004 demands, so that it can be
    scanned off a dark page, too.
    """
    svg = BytesIO()
    segno.make(uri, error="l", micro=False).save(
        svg,
        kind="svg",
        border=4,
        dark="#000",
        light="#fff",
        omitsize=True,  # it has a viewBox alone
        xmldecl=False,
        nl=False,
        svgclass=None,
        lineclass=None,
        title="QR code",
    )
    return svg.getvalue().decode()


def confirm_enrolment(user_id: int, code: str, now: datetime) -> bool:
    """Make the pending secret a factor if its app shows this code, and return whether it does.

    The code counts as used. False, too, if there is no pending secret, or if it is older than PENDING_LIFETIME.
    """
    lock_user(user_id)
    pending = TotpSecret.objects.filter(user_id=user_id, confirmed_at=None, created_at__gt=now - PENDING_LIFETIME)
    found = pending.first()
    step = _matching_step(found, code, now) if found else None
    if found is None or step is None:
        return False
    confirmed = pending.filter(created_at=found.created_at).update(confirmed_at=now, last_step=step)
    return confirmed == 1


def use_code(user_id: int, code: str, now: datetime) -> bool:
    """Return whether the user's app shows this code, and mark its time step as used: each is accepted once.

    One UPDATE compares and sets the step, so of any number of requests with one code one succeeds. It also encrypts the
    secret anew where only a fallback of the secret key can decrypt it.
    """
    lock_user(user_id)
    confirmed = TotpSecret.objects.filter(user_id=user_id, confirmed_at__isnull=False)
    found = confirmed.first()
    step = _matching_step(found, code, now) if found else None
    if found is None or step is None:
        return False
    same = confirmed.filter(created_at=found.created_at)  # not one that replaced it in between
    return same.filter(last_step__lt=step).update(last_step=step, last_used_at=now, **_reencrypt(found)) == 1


def add_confirmed(secrets_by_user: Mapping[int, bytes]) -> None:
    """Store the secrets of apps that new users of another system have already; the caller counts the factors."""
    now = clock.now()
    TotpSecret.objects.bulk_create(
        TotpSecret(user_id=user_id, secret=TOTP_ENCRYPTION.encrypt(secret), created_at=now, confirmed_at=now)
        for user_id, secret in secrets_by_user.items()
    )


def is_confirmed(user_id: int) -> bool:
    """Return whether the user has an authenticator app as a factor."""
    return TotpSecret.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()


def remove(user_id: int) -> bool:
    """Delete the user's secret, and return whether it was a factor; a pending one is deleted without a word."""
    of_user = TotpSecret.objects.filter(user_id=user_id)
    confirmed, _ = of_user.filter(confirmed_at__isnull=False).delete()
    of_user.delete()
    return confirmed == 1


def prune_enrolments(batch: int = 1_000) -> Iterator[int]:
    """Delete secrets that were not confirmed in time, in batches, and yield the number of rows of each."""
    expired = TotpSecret.objects.filter(confirmed_at=None, created_at__lte=clock.now() - PENDING_LIFETIME)
    while ids := list(expired.order_by("pk").values_list("pk", flat=True)[:batch]):
        yield expired.filter(pk__in=ids).delete()[0]


def _matching_step(stored: TotpSecret, code: str, now: datetime) -> int | None:
    """Return the time step whose code this is, None if it is none in the window; pyotp compares in constant time."""
    if not _CODE.fullmatch(code):
        return None
    secret = TOTP_ENCRYPTION.decrypt(bytes(stored.secret))
    if secret is None:
        log.error("totp.undecryptable", user_id=stored.pk)
        return None
    totp = _Totp(b32encode(secret).decode(), digits=DIGITS, interval=STEP_SECONDS)
    try:
        return totp.verify_and_get_timecode(code, for_time=now, valid_window=WINDOW)
    except OTPVerificationError:
        return None


def _reencrypt(stored: TotpSecret) -> dict[str, bytes]:
    """Return the column with the secret encrypted under the current secret key, {} where it is."""
    encrypted = bytes(stored.secret)
    if TOTP_ENCRYPTION.is_current(encrypted):
        return {}
    secret = TOTP_ENCRYPTION.decrypt(encrypted)
    return {} if secret is None else {"secret": TOTP_ENCRYPTION.encrypt(secret)}
