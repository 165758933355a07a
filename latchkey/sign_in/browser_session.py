"""Admission to a browser session: the cookie of the admin area and of the account pages, behind the same gate.

The row of the browser session is written in the transaction that uses up the proof, as a session's is.
"""

from collections.abc import Callable

from django.contrib.auth import login as open_browser_session  # noqa: TID251 - behind the gate
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest

from latchkey.accounts.models import User
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import current_policy
from latchkey.core import clock
from latchkey.core.client import client_info
from latchkey.factors.delayed_recovery import cancel_after_proof
from latchkey.sign_in.admission import challenge, missing_step
from latchkey.tokens.authentication_methods import Authentication, Proof

ENTRY = "authentication"
"""Name in the browser session: what was proved, and when last, as an Authentication."""

BACKEND = "django.contrib.auth.backends.ModelBackend"


def admit_browser(request: HttpRequest, user: User, proof: Proof, consume: Callable[[], None], event: Event) -> None:
    """Sign a user who proved to be it in to a new browser session (ASVS 7.2.4).

    consume spends the proof, in the transaction that stores the session; event is that of the sign-in. Raises
    SecondFactorRequired or EnrolmentRequired with a ticket.
    """
    client, now = client_info(request.META), clock.now()
    if purpose := missing_step(user, proof, current_policy()):
        raise challenge(purpose, user, proof, client, now, consume)
    with transaction.atomic():
        consume()
        request.session.flush()
        open_browser_session(request, user, backend=BACKEND)
        remember_proof(request, proof)
        request.session.save()
        record(event, client, user_id=user.pk)
        cancel_after_proof(user, proof, client)


def remember_proof(request: HttpRequest, proof: Proof) -> None:
    """Note in the browser session what was proved just now, beside what was proved before."""
    before = browser_authentication(request)
    request.session[ENTRY] = [int(before.proof | proof), int(clock.now().timestamp())]


def keep_browser_session(request: HttpRequest, user: User, proof: Proof = Proof.NONE) -> None:
    """Keep this browser signed in where all sessions of its user end, with what was proved just now.

    Called last in the transaction of the change, with the user as it is now. The cookie changes, too: what was stolen
    before the change is worth nothing after it.
    """
    update_session_auth_hash(request, user)
    if proof:
        remember_proof(request, proof)
    request.session.save()


def browser_authentication(request: HttpRequest) -> Authentication:
    """Return what the browser session has proved, and when last."""
    stored = request.session.get(ENTRY)
    if isinstance(stored, list) and len(stored) == 2 and all(type(number) is int for number in stored):
        return Authentication(*stored)
    return Authentication(0, 0)
