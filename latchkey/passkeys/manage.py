"""One's own passkeys: add one in two requests, rename, remove, list.

Adding and removing need a recent proof of who is there, and end the other sessions of the account, as for every second
factor. The ticket between the two requests of adding is bound to the account as it was at the first one.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from latchkey.accounts.models import User
from latchkey.accounts.reauthentication import get_user
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import (
    InvalidInput,
    InvalidPasskey,
    InvalidTicket,
    NotFound,
)
from latchkey.core.user_agent import device_name
from latchkey.factors import recovery_codes
from latchkey.factors.changes import FactorChange, change_factors
from latchkey.factors.enrolment_rules import require_open_enrolment
from latchkey.factors.recent_proof import require_recent_proof
from latchkey.factors.tickets import LIFETIME, TicketPurpose, issue_ticket, take_ticket
from latchkey.passkeys.models import MAX_PASSKEYS, Passkey
from latchkey.passkeys.options import creation_options
from latchkey.passkeys.registration import TOO_MANY, NewPasskey, add_passkey, verify_registration
from latchkey.passkeys.responses import RegistrationResponse
from latchkey.tokens.authentication_methods import Authentication

CHALLENGE_BYTES, USER_HANDLE_BYTES = 32, 32
"""Random bytes of a challenge (WebAuthn Level 3 section 13.4.3: at least 16), and of a user handle (at most 64)."""

KIND = "passkey"
"""What events and lists call this factor."""


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a client needs for a ceremony: a ticket, options for the authenticator, and seconds until both expire."""

    ticket: str
    options: dict[str, Any]
    expires_in: int = int(LIFETIME.total_seconds())


@dataclass(frozen=True, slots=True)
class AddedPasskey:
    """A new passkey, and the recovery codes of an account that had none: nothing shows them again."""

    passkey: Passkey
    recovery_codes: list[str]


def list_passkeys(user_id: int) -> Sequence[Passkey]:
    """Return the passkeys of the user, the oldest first; one SELECT."""
    return list(Passkey.objects.filter(user=user_id))


def require_relying_party() -> None:
    """Raise NotFound where there are no passkeys, because the service has no domain (PASSKEY_RP_ID)."""
    if not settings.PASSKEY_RP_ID:
        raise NotFound


def begin_registration(user_id: int, authentication: Authentication) -> Ceremony:
    """Return the options for a new passkey; its ticket is good for one attempt.

    Raises StepUpRequired, EnrolmentClosed, EmailNotVerified, and InvalidInput where the account has the greatest number
    of passkeys.
    """
    require_relying_party()
    user = get_user(user_id)
    require_recent_proof(user, authentication)
    require_open_enrolment(user)
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    options = new_passkey_options(user, challenge)
    return Ceremony(issue_ticket(TicketPurpose.PASSKEY_REGISTRATION, clock.now(), user, challenge=challenge), options)


def new_passkey_options(user: User, challenge: bytes) -> dict[str, Any]:
    """Return the options for a new passkey of this account, which gets its user handle with the first one.

    Raises InvalidInput where the account has the greatest number of passkeys.
    """
    existing = list_passkeys(user.pk)
    if len(existing) >= MAX_PASSKEYS:
        raise InvalidInput({"body": [TOO_MANY]})
    return creation_options(
        challenge=challenge,
        user_handle=_user_handle(user),
        email=user.email,
        display_name=user.username,
        existing=existing,
        timeout_seconds=int(LIFETIME.total_seconds()),
    )


def finish_registration(  # noqa: PLR0913, PLR0917  # all but two are of the request
    user_id: int, session_id: int | None, ticket: str, response: RegistrationResponse, name: str, client: ClientInfo
) -> AddedPasskey:
    """Store the new passkey, and end the other sessions of the account; the session that asked gains its proof.

    Without a session of the API, for a browser, all of them end. Right or wrong, the answer uses up the ticket, and its
    challenge with it. Raises InvalidTicket, InvalidPasskey, InvalidInput where the account has the greatest number of
    passkeys, and InvalidToken where another change was faster.
    """
    state = take_ticket(ticket, TicketPurpose.PASSKEY_REGISTRATION, clock.now())
    user = state.current_user() if state else None
    if state is None or user is None or user.pk != user_id:
        raise InvalidTicket
    try:
        new = verify_registration(response, state.challenge)
        with transaction.atomic():
            return store_passkey(user, session_id, new, name, client)
    except InvalidPasskey as error:
        record(Event.FACTOR_REFUSED, client, user_id=user.pk, session_id=session_id, reason=f"{KIND}: {error.reason}")
        raise


def store_passkey(user: User, session_id: int | None, new: NewPasskey, name: str, client: ClientInfo) -> AddedPasskey:
    """Insert a verified passkey and count it, with recovery codes where there are none, in the caller's transaction.

    Raises InvalidPasskey, InvalidInput and InvalidToken as `finish_registration` does.
    """
    change_factors(user, FactorChange(Event.FACTOR_ADDED, 1, KIND, new.proof), client, session_id)
    passkey = add_passkey(user.pk, new, name or device_name(client.user_agent))
    codes = [] if recovery_codes.count(user.pk) else recovery_codes.renew(user.pk)
    return AddedPasskey(passkey, codes)


def rename_passkey(user_id: int, passkey_id: int, name: str = "") -> Passkey:
    """Store another name of the user's passkey, if there is one, and return the passkey; raises NotFound.

    The name is only for its owner, so it needs no further proof.
    """
    owned = Passkey.objects.filter(pk=passkey_id, user=user_id)
    if name:
        owned.update(name=name)
    passkey = owned.first()
    if passkey is None:
        raise NotFound
    return passkey


def remove_passkey(
    user_id: int, session_id: int | None, authentication: Authentication, passkey_id: int, client: ClientInfo
) -> None:
    """Delete a passkey of the user, and end the other sessions; with the last factor go the recovery codes.

    Raises StepUpRequired, NotFound, and InvalidToken where another change was faster.
    """
    user = get_user(user_id)
    require_recent_proof(user, authentication)
    owned = Passkey.objects.filter(pk=passkey_id, user=user_id)
    if not owned.exists():
        raise NotFound
    with transaction.atomic():
        left = change_factors(user, FactorChange(Event.FACTOR_REMOVED, -1, KIND), client, session_id)
        owned.delete()  # it is still there: another change would have ended the session
        if not left:
            recovery_codes.remove_all(user_id)


def _user_handle(user: User) -> bytes:
    """Return the user handle of the account, random bytes that are stored once (WebAuthn Level 3 section 14.6.1)."""
    if user.user_handle is None:
        without = User.objects.filter(pk=user.pk, user_handle=None)
        without.update(user_handle=secrets.token_bytes(USER_HANDLE_BYTES))
        user.refresh_from_db(fields=["user_handle"])
    return bytes(user.user_handle or b"")
