"""Make a link and a code for one person, one purpose, once.

Post a mail with a link and a code.

Have a mail sent to whom an address belongs, without telling whoever asks whether it belongs to anybody.
"""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.crypto import derive_keys
from latchkey.email_codes.models import LANDING_PAGES, OneTimeCode, Purpose
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue
from latchkey.rate_limits.attempts import charge, mail_key

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's Base32: no I, L, O and U, so that nothing looks like another, and no word comes about by chance."""
CODE_LENGTH, GROUP_LENGTH = 8, 4
"""Characters of a code: 40 random bits, of which a guesser has a few tries (see find.py)."""
TOKEN_BYTES = 32
"""Of a token: 256 random bits, which need no limit on guessing."""


_DECODE_MAP = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def generate_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def generate_code() -> str:
    """Return a code in groups, as people read it out: 7K3M-9QRT."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return f"{drawn[:GROUP_LENGTH]}-{drawn[GROUP_LENGTH:]}"


def normalize_typed(code: str) -> str:
    """Return what was meant, however it was typed: in small letters, without the hyphen, with an O for a zero."""
    return code.upper().translate(_DECODE_MAP)


def token_digests(purpose: Purpose, token: str) -> list[bytes]:
    """Return the digests under the current key and its fallbacks; of another purpose they are others."""
    return _digests("token", purpose, token)


def code_digests(purpose: Purpose, email: str, code: str) -> list[bytes]:
    """Return the digests under the current key and its fallbacks; of another purpose or account they are others.

    A code alone is short enough to be tried out, so what keeps a leaked table shut is the key, which is not in it.
    """
    return _digests("code", purpose, email, normalize_typed(code))


def _digests(*parts: str) -> list[bytes]:
    return [hmac.digest(key, "\0".join(parts).encode(), "sha256") for key in derive_keys("codes")]


LIFETIME = timedelta(minutes=30)
"""Mail may take a quarter of an hour where a server greylists; NIST SP 800-63B-4 section 4.2 allows a day."""
MAX_VALID = 3
"""Live ones of a user for a purpose. With one, whoever asks on could keep every mail void before it is read."""


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """What goes into the mail, and nowhere else."""

    link: str
    code: str
    expires_at: datetime


def issue(user: User, purpose: Purpose, new_email: str = "") -> IssuedCode:
    """Make a link and a code, in the transaction that posts them; the user's expired and surplus ones go.

    They are void as soon as the user's password or e-mail address is another one. The link is built from
    LATCHKEY_PUBLIC_URL: no header of a request has a say in where it leads.
    """
    now, token, code = clock.now(), generate_token(), generate_code()
    made = OneTimeCode.objects.create(
        user_id=user.pk,
        purpose=purpose.value,
        token_digest=token_digests(purpose, token)[0],
        code_digest=code_digests(purpose, user.email, code)[0],
        email=user.email,
        new_email=new_email,
        credential_version=user.credential_version,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    of_user = OneTimeCode.objects.filter(user_id=user.pk, purpose=purpose.value)
    newest = of_user.order_by("-pk").values("pk")[:MAX_VALID]
    of_user.filter(Q(expires_at__lte=now) | ~Q(pk__in=newest)).delete()
    return IssuedCode(
        f"{settings.PUBLIC_URL}{LANDING_PAGES[purpose]}?{urlencode({'token': token})}", code, made.expires_at
    )


MAIL_KINDS = {
    Purpose.PASSWORD_RESET: MailKind.PASSWORD_RESET,
    Purpose.EMAIL_VERIFICATION: MailKind.EMAIL_VERIFICATION,
    Purpose.EMAIL_CHANGE: MailKind.EMAIL_CHANGE,
}


def send(user: User, purpose: Purpose, new_email: str = "", kind: MailKind | None = None) -> None:
    """Put a link and a code into the outbox, in the transaction around.

    They go to the new address where there is one.
    """
    issued = issue(user, purpose, new_email)
    context = {
        "link": issued.link,
        "code": issued.code,
        "minutes": str(int(LIFETIME.total_seconds()) // 60),
        "expires_at": issued.expires_at.isoformat(),
        "username": user.safe_display_name,
    }
    enqueue(kind or MAIL_KINDS[purpose], new_email or user.email, context, user.pk)


NO_USER = -1
"""An id that no user has."""


def request_code(email: str, purpose: Purpose, event: Event, users: QuerySet[User], client: ClientInfo) -> None:
    """Post a mail to the one of these users who has this canonical address; raises TooManyAttempts.

    The same is done for an address that is nobody's, and taken back: the same statements, the same locks and one
    commit, so that neither the answer, nor its time, nor another request beside it tells who has an account.
    """
    with transaction.atomic():
        charge(mail_key(email, client), client)
        user = users.filter(email=email, is_active=True).first()
        send_or_simulate(user, lambda somebody: send(somebody, purpose), email)
        record(event, client, user_id=user.pk if user else None)


def send_or_simulate(user: User | None, send_to: Callable[[User], None], email: str) -> None:
    """Do it for the user; where there is none do it for nobody and take that back, in the transaction around.

    Savepoints by hand: an atomic block takes one statement to end well, and two to be taken back.
    """
    start = transaction.savepoint()
    send_to(user or User(pk=NO_USER, email=email))
    end = transaction.savepoint_commit if user else transaction.savepoint_rollback
    end(start)
