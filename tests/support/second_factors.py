"""Second factors of users in tests: an authenticator app that was just set up, and its recovery codes."""

from dataclasses import dataclass

from django.db import transaction

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.core import clock
from latchkey.factors import recovery_codes, totp
from latchkey.factors.changes import FactorChange, change_factors
from tests.factors.apps import code_at, wrong_code


@dataclass(frozen=True)
class App:
    """An authenticator app: its secret in base32, and the recovery codes that came with it."""

    secret: str
    recovery_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """Return the code that the app shows now, or so many steps later."""
        return code_at(self.secret, clock.now(), steps)

    def wrong_code(self) -> str:
        return wrong_code(self.secret, clock.now())


@transaction.atomic
def set_up_app(email: str) -> App:
    """Set an authenticator app up for this user, as the endpoints do; the code of the present step is still unused."""
    user = User.objects.get(email=email)
    secret = totp.begin_enrolment(user).secret
    assert totp.confirm_enrolment(user.pk, code_at(secret, clock.now(), -1), clock.now())
    change_factors(user, FactorChange(Event.FACTOR_ADDED, 1, "totp"), None)
    return App(secret, recovery_codes.renew(user.pk))
