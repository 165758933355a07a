"""One-time codes and links by e-mail: issue, look up and consume, without user enumeration.

Read it top down: request_code answers an endpoint, send queues the mail, issue stores the digests; then lookup finds
what a client submits and counts wrong codes, and consume deletes the row in the transaction of what it allows. The code
and the token of the link are in the mail and nowhere else; the database holds keyed digests of them.
"""

import base64
import hmac
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.crypto import derive_keys
from latchkey.core.exceptions import InvalidCode
from latchkey.core.typed_codes import generate_code, normalize_typed
from latchkey.email_codes.models import LANDING_PAGES, OneTimeCode, Purpose
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue, require_mail_server
from latchkey.rate_limits.attempts import charge, refund
from latchkey.rate_limits.in_memory import count_invalid_token
from latchkey.rate_limits.keys import code_key, mail_key

LIFETIME = timedelta(minutes=30)
"""Mail may take a quarter of an hour where a server greylists; NIST SP 800-63B-4 section 4.2 allows a day."""

LIFETIMES = {Purpose.FACTOR_RECOVERY: timedelta(days=3)}
"""Other lifetimes than LIFETIME, by purpose: who has waited for days must not miss the one mail."""

MAX_VALID = 3
"""Valid codes of a user for a purpose. With one, repeated requests could void every mail before it is read."""

MAX_FAILURES = 5
"""Wrong codes, after which all codes sent to a user for that purpose are invalid (OWASP ASVS 6.6.3).

Their links remain valid: nobody guesses those, and otherwise anybody who knows an address could void every mail to it.
"""

CODE_LENGTH, GROUP_LENGTH = 8, 4
"""Characters of a code, and of a group of it: 40 random bits, and a guesser has MAX_FAILURES tries."""

TOKEN_BYTES = 32
"""Random bytes of a link's token: 256 bits, which need no limit on guessing."""

MAIL_KINDS = {
    Purpose.PASSWORD_RESET: MailKind.PASSWORD_RESET,
    Purpose.EMAIL_VERIFICATION: MailKind.EMAIL_VERIFICATION,
    Purpose.EMAIL_CHANGE: MailKind.EMAIL_CHANGE,
    Purpose.FACTOR_RECOVERY: MailKind.FACTOR_RECOVERY,
}
"""The usual mail for each purpose."""

NO_USER = -1
"""The id of no user."""

_ID = struct.Struct(">q")
DIGEST_BYTES = 13
"""Bytes of a digest: nothing is gained by guessing one, and the link stays short."""

REFERENCE_LENGTH = 28
"""Characters of a reference: 8 bytes of the id and the digest in base64."""


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """The secrets of one mail: the link with its token, and the code; both end at the same time."""

    link: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a client submits: the token of a link; or, if that is empty, a code and the address that it was sent for."""

    token: str = ""
    email: str = ""
    code: str = ""


def request_code(  # noqa: PLR0913  # called by two use cases alone
    email: str, purpose: Purpose, event: Event, users: QuerySet[User], client: ClientInfo, *, redirect_to: str = ""
) -> None:
    """Send a code to the one of these users who has this normalized address.

    Raises ServiceUnavailable without a mail server, or TooManyAttempts. For an address that nobody has the same is done
    and rolled back: the same statements, the same locks and one commit. So neither the answer, nor its time, nor a
    request beside it shows who has an account (ASVS 6.3.8).
    """
    require_mail_server()
    with transaction.atomic():
        charge(mail_key(email, client), client)
        user = users.filter(email=email, is_active=True).first()
        send_or_simulate(user, lambda recipient: send(recipient, purpose, redirect_to=redirect_to), email)
        record(event, client, user_id=user.pk if user else None)


def send_or_simulate(user: User | None, send_to: Callable[[User], None], email: str) -> None:
    """Call send_to for the user; if there is none, call it for a user who is not stored, and roll that back.

    Called within a transaction. The savepoints are set by hand, because an atomic block takes one statement to end
    well, and two to be rolled back.
    """
    start = transaction.savepoint()
    send_to(user or User(pk=NO_USER, email=email))
    end = transaction.savepoint_commit if user else transaction.savepoint_rollback
    end(start)


def send(
    user: User, purpose: Purpose, new_email: str = "", kind: MailKind | None = None, redirect_to: str = ""
) -> None:
    """Issue a code and queue its mail, in the caller's transaction.

    The mail goes to new_email if there is one, else to the user's address. redirect_to is an allowed URL, or empty.
    """
    issued = issue(user, purpose, new_email, redirect_to)
    context = {
        "link": issued.link,
        "code": issued.code,
        "minutes": str(int(LIFETIME.total_seconds()) // 60),
        "expires_at": issued.expires_at.isoformat(),
        "username": user.safe_display_name,
    }
    enqueue(kind or MAIL_KINDS[purpose], new_email or user.email, context, user.pk)


def issue(
    user: User, purpose: Purpose, new_email: str = "", redirect_to: str = "", lifetime: timedelta | None = None
) -> IssuedCode:
    """Store the digests of a new link and code, and delete the user's expired and surplus ones for this purpose.

    Both become invalid with the next change of the user's password or e-mail address. The link is built from
    LATCHKEY_PUBLIC_URL: no header of a request decides where it leads. lifetime is another one than the purpose's.
    """
    now, token, code = clock.now(), generate_token(), generate_code(CODE_LENGTH, GROUP_LENGTH)
    stored = OneTimeCode.objects.create(
        user_id=user.pk,
        purpose=purpose.value,
        token_digest=token_digests(purpose, token)[0],
        code_digest=code_digests(purpose, user.email, code)[0],
        email=user.email,
        new_email=new_email,
        redirect_to=redirect_to or None,
        credential_version=user.credential_version,
        created_at=now,
        expires_at=now + (lifetime or LIFETIMES.get(purpose, LIFETIME)),
    )
    of_user = OneTimeCode.objects.filter(user_id=user.pk, purpose=purpose.value)
    newest = of_user.order_by("-pk").values("pk")[:MAX_VALID]
    of_user.filter(Q(expires_at__lte=now) | ~Q(pk__in=newest)).delete()
    reference = build_reference(purpose, token, user.pk, new_email or user.email)
    query = urlencode({"token": token} if purpose is Purpose.PASSWORD_RESET else {"ref": reference, "token": token})
    return IssuedCode(f"{settings.PUBLIC_URL}{LANDING_PAGES[purpose]}?{query}", code, stored.expires_at)


def lookup(purpose: Purpose, presented: Submitted, client: ClientInfo) -> OneTimeCode:
    """Return the valid code with its user; it is not consumed yet.

    Raises InvalidCode, the same for every reason, or TooManyAttempts.
    """
    found = _by_token(purpose, presented.token, client) if presented.token else _by_code(purpose, presented, client)
    if found is None:
        raise InvalidCode
    return found


def consume(code: OneTimeCode) -> None:
    """Delete the code, in the transaction of what it allows; raises InvalidCode.

    This one statement checks the validity once more: of any number of concurrent requests one succeeds.
    """
    deleted, _ = valid_codes(Purpose(code.purpose)).filter(pk=code.pk).delete()
    if not deleted:
        raise InvalidCode


def valid_codes(purpose: Purpose) -> QuerySet[OneTimeCode]:
    """Return the codes that can be used: not expired, and sent to the present address under the present password."""
    return OneTimeCode.objects.filter(
        purpose=purpose.value,
        expires_at__gt=clock.now(),
        user__is_active=True,
        user__credential_version=F("credential_version"),
        user__email=F("email"),
    )


def _by_token(purpose: Purpose, token: str, client: ClientInfo) -> OneTimeCode | None:
    of_token = valid_codes(purpose).filter(token_digest__in=token_digests(purpose, token))
    found = of_token.select_related("user").first()
    if found is None:
        count_invalid_token(client, "code")
    return found


@transaction.atomic
def _by_code(purpose: Purpose, presented: Submitted, client: ClientInfo) -> OneTimeCode | None:
    """Count the attempt before the code is compared, and a wrong code with the user's codes.

    It is one commit, whether the address has an account or not.
    """
    charged = charge(code_key(presented.email, client), client)
    of_user = valid_codes(purpose).filter(user__email=presented.email, failures__lt=MAX_FAILURES)
    digests = code_digests(purpose, presented.email, presented.code)
    found = of_user.filter(code_digest__in=digests).select_related("user").first()
    if found is None:
        of_user.update(failures=F("failures") + 1)
        record(Event.CODE_REFUSED, client, reason=purpose.value)
    else:
        refund(charged)
    return found


def build_reference(purpose: Purpose, token: str, user_id: int, email: str) -> str:
    """Return the reference of a link: the account's id, and a digest over it, the token and the address.

    A used link is opened again all the time, by people and by programs that follow links. Then a page has to tell
    "already confirmed" from "expired", and the row that would say so was deleted with its use. Only a person who
    received the mail has the reference beside the token, so what a page says about it tells nobody else who has an
    account. It allows nothing.
    """
    return base64.urlsafe_b64encode(
        _ID.pack(user_id) + _reference_digests(purpose, token, user_id, email)[0][:DIGEST_BYTES]
    ).decode()


def find_account(purpose: Purpose, token: str, reference: str) -> User | None:
    """Return the active account that this link was sent for, while it has the address that the link was sent to."""
    if not (reference.isascii() and len(reference) == REFERENCE_LENGTH):
        return None
    try:
        decoded = base64.b64decode(reference, altchars=b"-_", validate=True)
    except ValueError:
        return None
    (user_id,) = _ID.unpack(decoded[: _ID.size])
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    known = _reference_digests(purpose, token, user_id, user.email)
    sent = decoded[_ID.size :]
    return user if any(hmac.compare_digest(digest[:DIGEST_BYTES], sent) for digest in known) else None


def _reference_digests(purpose: Purpose, token: str, user_id: int, email: str) -> list[bytes]:
    text = "\0".join(("link", purpose, token, str(user_id), email)).encode(errors="replace")
    return [hmac.digest(key, text, "sha256") for key in derive_keys("codes")]


def generate_token() -> str:
    """Return the random token of a link, in URL-safe base64."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_digests(purpose: Purpose, token: str) -> list[bytes]:
    """Return the token's digests under the current key and its fallbacks; digests differ per purpose."""
    return _digests("token", purpose, token)


def code_digests(purpose: Purpose, email: str, code: str) -> list[bytes]:
    """Return the code's digests under the current key and its fallbacks; digests differ per purpose and account.

    A code is short enough to be found by trying, so what protects a leaked table is the key, which is not in it.
    """
    return _digests("code", purpose, email, normalize_typed(code))


def _digests(*parts: str) -> list[bytes]:
    return [hmac.digest(key, "\0".join(parts).encode(), "sha256") for key in derive_keys("codes")]
