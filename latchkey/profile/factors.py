"""List of one's own second factors, without their secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from latchkey.factors import recovery_codes
from latchkey.factors.models import TotpSecret
from latchkey.passkeys.manage import list_passkeys
from latchkey.passkeys.models import Passkey


@dataclass(frozen=True, slots=True)
class OwnFactors:
    """The factors of a user: the authenticator app or None, passkeys, and how many recovery codes are left."""

    totp: TotpSecret | None
    passkeys: Sequence[Passkey]
    recovery_codes: int


def list_factors(user_id: int) -> OwnFactors:
    """Return the factors of the user; an app that is not confirmed is none."""
    confirmed = TotpSecret.objects.filter(user_id=user_id, confirmed_at__isnull=False)
    return OwnFactors(confirmed.first(), list_passkeys(user_id), recovery_codes.count(user_id))
