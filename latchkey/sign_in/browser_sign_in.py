"""Sign-in on pages: password and step-up in a browser, under the same limits as in the API.

The endpoints open a session and return tokens; these functions open a browser session, and its cookie is in the
response.
"""

from functools import partial

from django.db import transaction
from django.http import HttpRequest

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import client_info
from latchkey.factors.delayed_recovery import cancel_after_proof
from latchkey.rate_limits.attempts import refund
from latchkey.sign_in.browser_session import admit_browser, keep_browser_session
from latchkey.sign_in.factor_checks import FactorAnswer
from latchkey.sign_in.login import charge_login, refund_if_we_fail, verify_credentials
from latchkey.sign_in.step_up import STEP_UP_ERRORS, begin_step_up, record_failed_step_up
from latchkey.tokens.authentication_methods import Proof


def sign_in_browser(request: HttpRequest, email: str, password: str) -> None:
    """Sign the user with this e-mail address and password in.

    Raises TooManyAttempts before the password is compared; InvalidCredentials; EmailNotVerified; and
    SecondFactorRequired or EnrolmentRequired with a ticket for the next step.
    """
    client = client_info(request.META)
    charged = charge_login(email, client)
    user = verify_credentials(email, password, client, charged)
    with refund_if_we_fail(charged):
        admit_browser(request, user, Proof.PASSWORD, partial(refund, charged), Event.LOGIN_SUCCEEDED)


def step_up_browser(request: HttpRequest, user: User, password: str, answer: FactorAnswer, ticket: str) -> None:
    """Note in the browser session what its user proves now: the password, or the second factor if there is one.

    Raises as `step_up` does.
    """
    client = client_info(request.META)
    try:
        check = begin_step_up(user, password, answer, ticket, client)
        with transaction.atomic():
            check.spend()
            keep_browser_session(request, user, check.proof)
            record(Event.STEP_UP_SUCCEEDED, client, user_id=user.pk)
            cancel_after_proof(user, check.proof, client)
    except STEP_UP_ERRORS as error:
        record_failed_step_up(user, error, client)
        raise
