"""Redeem a link or a one-time code: look it up, then consume it in the transaction of what it allows.

The look-up counts wrong codes; consuming deletes the row, and one DELETE decides between concurrent requests.
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
"""Wrong codes, after which all codes sent to a user for that purpose are invalid (OWASP ASVS 6.6.3).

Their links remain valid: nobody guesses those, and otherwise anybody who knows an address could void every mail to it.
"""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What a client submits: the token of a link; or, if that is empty, a code and the address that it was sent for."""

    token: str = ""
    email: str = ""
    code: str = ""


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
