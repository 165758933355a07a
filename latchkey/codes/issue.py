"""Make a link and a code for one person, one purpose, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q

from latchkey.accounts.models import User
from latchkey.codes.models import Code
from latchkey.codes.purposes import PAGES, Purpose
from latchkey.codes.secret import code_digests, random_code, random_token, token_digests
from latchkey.core import clock

LIFETIME = timedelta(minutes=30)
"""Mail may take a quarter of an hour where a server greylists; NIST SP 800-63B-4 section 4.2 allows a day."""
MOST = 3
"""Live ones of a user for a purpose. With one, whoever asks on could keep every mail void before it is read."""


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes into the mail, and nowhere else."""

    link: str
    code: str
    expires_at: datetime


def issue(user: User, purpose: Purpose, new_email: str = "") -> Issued:
    """Make a link and a code, in the transaction that posts them; the user's expired and surplus ones go.

    They are void as soon as the user's password or e-mail address is another one. The link is built from
    LATCHKEY_PUBLIC_URL: no header of a request has a say in where it leads.
    """
    now, token, code = clock.now(), random_token(), random_code()
    made = Code.objects.create(
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
    of_user = Code.objects.filter(user_id=user.pk, purpose=purpose.value)
    newest = of_user.order_by("-pk").values("pk")[:MOST]
    of_user.filter(Q(expires_at__lte=now) | ~Q(pk__in=newest)).delete()
    return Issued(f"{settings.PUBLIC_URL}{PAGES[purpose]}?{urlencode({'token': token})}", code, made.expires_at)
