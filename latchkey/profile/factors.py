"""List of one's own second factors, without their secrets."""

from dataclasses import dataclass

from latchkey.factors import recovery_codes
from latchkey.factors.models import TotpSecret


@dataclass(frozen=True, slots=True)
class OwnFactors:
    """The factors of a user: the authenticator app, None without one, and how many recovery codes are left."""

    totp: TotpSecret | None
    recovery_codes: int


def list_factors(user_id: int) -> OwnFactors:
    """Return the factors of the user; an app that is not confirmed is none."""
    confirmed = TotpSecret.objects.filter(user_id=user_id, confirmed_at__isnull=False)
    return OwnFactors(confirmed.first(), recovery_codes.count(user_id))
