"""Change the password of somebody who is signed in and knows the present one."""

from datetime import datetime

from django.db import IntegrityError, transaction

from latchkey.accounts.models import User
from latchkey.accounts.password_validation import validate_new_password
from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.conf.policy import Policy, current_policy
from latchkey.core import clock
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken, ServiceUnavailable
from latchkey.rate_limits.attempts import Charge, refund
from latchkey.sessions.models import NewSession, open_session
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, TokenPair, issue_pair


def change_password(user_id: int, current_password: str, new_password: str, client: ClientInfo) -> TokenPair:
    """Set a new password, end every session, and open a new one for the device that asked.

    A stolen session thus ends with the change, the caller's own included: its tokens may be what was stolen. Raises a
    PasswordToo... refusal, WrongPassword, TooManyAttempts, or InvalidToken where another change came first.
    """
    signs, user = signing_key(clock.now()), get_user(user_id)
    validate_new_password(new_password, user, "new_password")
    charged = reauthenticate(user, current_password, client, "current_password")
    user.set_password(new_password)
    now, policy = clock.now(), current_policy()
    try:
        opened = _store(user, charged, client, now, policy)
    except IntegrityError as error:  # the selector of another session: nothing was changed, and the next one is free
        raise ServiceUnavailable from error
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=opened.session_id, persisted=True)
    terms = AccessTokenSpec(now, policy.access_token_lifetime, signs)
    return issue_pair(opened.session_id, user.pk, opened.refresh_token, terms)


@transaction.atomic
def _store(user: User, charged: Charge, client: ClientInfo, now: datetime, policy: Policy) -> NewSession:
    """Store the password, if the one that was proven is still in force.

    The refund comes first, so that rows are locked in the same order as at a sign-in.
    """
    refund(charged)
    holds = User.objects.select_for_update(no_key=True).filter(
        pk=user.pk, is_active=True, credential_version=user.credential_version
    )
    if not holds.exists():
        raise InvalidToken
    user.changed_by = client
    user.save(update_fields=["password"])
    opened = open_session(user, client, now, policy)
    if opened is None:
        raise InvalidToken
    return opened
