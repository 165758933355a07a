"""Find what somebody shows: the token of a link, or a code that was typed.

Spend what was found.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, QuerySet

from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidCode
from latchkey.email_codes.issue import code_digests, token_digests
from latchkey.email_codes.models import OneTimeCode, Purpose
from latchkey.rate_limits.attempts import charge, code_key, refund
from latchkey.rate_limits.in_memory import count_invalid_token

MAX_FAILURES = 5
"""Wrong ones after which a user's live codes for that purpose can be typed no more (OWASP ASVS 6.6.3).

Their links go on: nobody guesses those, and else whoever knows an address could void every mail to it.
"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What somebody shows: a token; or, where that is empty, a code and the canonical address that it was sent for."""

    token: str = ""
    email: str = ""
    code: str = ""


def valid_codes(purpose: Purpose) -> QuerySet[OneTimeCode]:
    """Return what still opens something: not expired, and not void by a new password or another e-mail address."""
    return OneTimeCode.objects.filter(
        purpose=purpose.value,
        expires_at__gt=clock.now(),
        user__is_active=True,
        user__credential_version=F("credential_version"),
        user__email=F("email"),
    )


def lookup(purpose: Purpose, presented: Submitted, client: ClientInfo) -> OneTimeCode:
    """Return what was issued, with its user, and spend nothing.

    Raises InvalidCode, alike for every reason, or TooManyAttempts where somebody guesses.
    """
    found = _by_token(purpose, presented.token, client) if presented.token else _by_code(purpose, presented, client)
    if found is None:
        raise InvalidCode
    return found


def _by_token(purpose: Purpose, token: str, client: ClientInfo) -> OneTimeCode | None:
    of_token = valid_codes(purpose).filter(token_digest__in=token_digests(purpose, token))
    found = of_token.select_related("user").first()
    if found is None:
        count_invalid_token(client, "code")
    return found


@transaction.atomic
def _by_code(purpose: Purpose, presented: Submitted, client: ClientInfo) -> OneTimeCode | None:
    """Count the attempt before it is looked at, and a wrong one with the codes; one commit, whoever's address it is."""
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


def consume(code: OneTimeCode) -> None:
    """Delete it, in the transaction of what it opens; raises InvalidCode.

    One statement, which looks at everything once more: of any number that show the same one, the row lets one in.
    """
    deleted, _ = valid_codes(Purpose(code.purpose)).filter(pk=code.pk).delete()
    if not deleted:
        raise InvalidCode
