"""Next step of a sign-in in a browser: its ticket, between the page of the password and that of the second factor.

It is kept in the browser session, encrypted: a row of the database must not contain a ticket, nor the secret of an
authenticator app. So neither stands in a URL or a form, and a page can be loaded again.
"""

import json
from typing import NamedTuple

from django.http import HttpRequest

from latchkey.core.crypto import Encryptor
from latchkey.core.exceptions import EnrolmentRequired, SecondFactorRequired
from latchkey.sign_in.enrolment import begin_totp

ENTRY = "sign_in_step"
ENCRYPTION = Encryptor("browser sign-in step")


class SignInStep(NamedTuple):
    """What a browser has to go on with: the ticket, the factors of the account, and the app to set up if it has none.

    area is that of the sign-in: `admin`, `account`. The pages of one do not go on with the sign-in of another. secret
    (base32) and uri (otpauth://) are those of the app, empty where a factor is asked for.
    """

    area: str
    ticket: str
    factors: list[str]
    secret: str = ""
    uri: str = ""


def keep_step(request: HttpRequest, area: str, required: SecondFactorRequired) -> SignInStep:
    """Keep what the gate asked for in a new browser session, and return it; begins the enrolment, if that is it.

    The session is a new one, as another may know the cookie of the old one (ASVS 7.2.4), and ends with the ticket.
    Raises InvalidTicket.
    """
    step = SignInStep(area, required.ticket, required.factors)
    if isinstance(required, EnrolmentRequired):
        enrolment = begin_totp(required.ticket)
        step = step._replace(secret=enrolment.secret, uri=enrolment.uri)
    request.session.flush()
    request.session.set_expiry(required.expires_in)
    request.session[ENTRY] = ENCRYPTION.encrypt(json.dumps(step).encode()).decode()
    return step


def current_step(request: HttpRequest, area: str) -> SignInStep | None:
    """Return the step that this browser has to go on with in this area, None if there is none.

    Its ticket may be dead by now.
    """
    stored = request.session.get(ENTRY)
    plain = ENCRYPTION.decrypt(stored.encode()) if isinstance(stored, str) else None
    step = SignInStep(*json.loads(plain)) if plain else None
    return step if step and step.area == area else None


def forget_step(request: HttpRequest) -> None:
    """Forget the step: its ticket is dead."""
    request.session.pop(ENTRY, None)
