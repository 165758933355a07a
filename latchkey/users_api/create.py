"""Creation of a user by a back end: with a password, with a hash from another system, or with a mail that invites.

Registration may be closed: these callers are operators. The account is theirs, not the last registration's (decision
19), so no registration of the same address replaces it.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.audit.events import Event
from latchkey.audit.log import Operator, record_by
from latchkey.authorization.custom_claims import set_claims
from latchkey.authorization.roles import set_roles
from latchkey.bearer_tokens.principal import Principal
from latchkey.core import clock
from latchkey.core.exceptions import EmailTaken, InvalidInput
from latchkey.email_codes.models import Purpose
from latchkey.email_codes.one_time_codes import issue
from latchkey.idempotency.stored_keys import KeyedRequest, claim, find_created, store_created
from latchkey.import_export.password_hashes import to_django_encoding
from latchkey.mail.models import MailKind
from latchkey.mail.outbox import enqueue, require_mail_server
from latchkey.mail.smtputf8 import require_deliverable
from latchkey.users_api.targets import find_user, require_scopes_of

INVITATION_LIFETIME = timedelta(days=7)
"""Time for which the link of an invitation works; later its reader requests a new password."""

CREDENTIALS = ("password", "password_hash", "invite")
"""Fields of which exactly one says how the user will sign in."""

ONE_CREDENTIAL = "Send exactly one of password, password_hash, and invite with the value true."


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create. Exactly one of password, password_hash and invite is set; email is normalized."""

    email: str
    username: str = ""
    roles: Collection[str] = ()
    claims: Mapping[str, Any] | None = None
    email_verified: bool = False
    password: str | None = None
    password_hash: str | None = None
    invite: bool = False


@dataclass(frozen=True, slots=True)
class Created:
    """The user of a request, and whether an earlier request with the same idempotency key has created them."""

    user: User
    is_replayed: bool


def create_user(new: NewUser, principal: Principal, operator: Operator, keyed: KeyedRequest | None = None) -> Created:
    """Create a user, or find the one whom the same request with this idempotency key has created.

    All or nothing. Raises InvalidInput, a PasswordToo... error, EmailTaken, InsufficientScope for a role that has more
    than the caller, ServiceUnavailable for an invitation without a mail server, IdempotencyKeyReused, or NotFound where
    the user of an earlier request has been deleted since.
    """
    if keyed and (created := find_created(keyed)) is not None:  # before the password is hashed
        return Created(find_user(created), is_replayed=True)
    _require_one_credential(new)
    require_scopes_of(list(new.roles), principal)
    user = _build(new)
    with transaction.atomic():
        if keyed and (created := claim(keyed)) is not None:
            return Created(find_user(created), is_replayed=True)
        _insert(user, operator)
        invalid_as("roles", set_roles, user.pk, new.roles, operator)
        invalid_as("claims", set_claims, user.pk, new.claims or {}, operator)
        if new.invite:
            _invite(user, operator)
        if keyed:
            store_created(keyed, user.pk)
        return Created(find_user(user.pk), is_replayed=False)


def invalid_as(field: str, change: Callable[..., Any], *args: Any) -> None:
    """Call a use case; raise InvalidInput for the field with the sentence of its ValueError."""
    try:
        change(*args)
    except ValueError as error:
        raise InvalidInput({field: [str(error)]}) from error


def _require_one_credential(new: NewUser) -> None:
    given = [new.password is not None, new.password_hash is not None, new.invite]
    if sum(given) != 1:
        raise InvalidInput({name: [ONE_CREDENTIAL] for name in CREDENTIALS})


def _build(new: NewUser) -> User:
    """Return a user with a hashed password who may be created; nothing is stored yet."""
    user = User(email=new.email, username=new.username, email_verified_at=clock.now() if new.email_verified else None)
    if new.password is not None:
        validate_new_password(new.password, user)
        user.set_password(new.password)
    elif new.password_hash is not None:
        try:
            user.password = to_django_encoding(new.password_hash)
        except ValueError as error:
            raise InvalidInput({"password_hash": [str(error)]}) from error
    else:
        require_mail_server()
        require_deliverable(new.email)
        user.set_unusable_password()
    return user


def _insert(user: User, operator: Operator) -> None:
    """Store the user with the event; the unique index decides between two at the same time. Raises EmailTaken."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken from error
    record_by(operator, Event.USER_REGISTERED, user_id=user.pk)


def _invite(user: User, operator: Operator) -> None:
    """Queue the mail with a link that sets the first password, which also verifies the address."""
    issued = issue(user, Purpose.PASSWORD_RESET, lifetime=INVITATION_LIFETIME)
    context = {
        "link": issued.link,
        "days": str(INVITATION_LIFETIME.days),
        "expires_at": issued.expires_at.isoformat(),
        "username": user.safe_display_name,
    }
    enqueue(MailKind.INVITATION, user.email, context, user.pk)
    record_by(operator, Event.USER_INVITED, user_id=user.pk)
