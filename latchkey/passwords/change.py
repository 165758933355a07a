"""Change password: a signed-in user gives the current password and a new one.

Every session ends, that of the caller included, as its tokens may be what was stolen; the caller gets a new session.
"""

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
from latchkey.factors.recent_proof import require_second_factor
from latchkey.rate_limits.attempts import Charge, refund
from latchkey.sign_in.admission import NewSession, replace_session
from latchkey.signing_keys.key_set import signing_key
from latchkey.tokens.access_token import AccessTokenSpec, TokenPair, issue_pair
from latchkey.tokens.authentication_methods import Authentication


def change_password(
    user_id: int, authentication: Authentication, current_password: str, new_password: str, client: ClientInfo
) -> TokenPair:
    """Set a new password, end every session, and open a new one for the device that asked.

    authentication is that of the session that asked, and the new session has it, too.
    Raises a PasswordToo... error, WrongPassword, TooManyAttempts, InvalidToken where another change was faster, or
    StepUpRequired for a session that did not prove the second factor of its account.
    """
    key, user = signing_key(clock.now()), get_user(user_id)
    require_second_factor(user, authentication)
    validate_new_password(new_password, user, "new_password")
    charged = reauthenticate(user, current_password, client, "current_password")
    user.set_password(new_password)
    now, policy = clock.now(), current_policy()
    try:
        session = _store(user, authentication, charged, client, now, policy)
    except IntegrityError as error:  # the selector of another session: nothing was changed, and the next one is free
        raise ServiceUnavailable from error
    record(Event.LOGIN_SUCCEEDED, client, user_id=user.pk, session_id=session.session_id, persisted=True)
    spec = AccessTokenSpec(now, policy.access_token_lifetime, key)
    return issue_pair(session.session_id, user.pk, session.refresh_token, spec, authentication, user.token_claims)


@transaction.atomic
def _store(  # noqa: PLR0913, PLR0917  # called by the use case above alone
    user: User, authentication: Authentication, charged: Charge, client: ClientInfo, now: datetime, policy: Policy
) -> NewSession:
    """Store the password if the one that was checked is still in force; raises InvalidToken.

    The refund comes first, so that rows are locked in the same order as at a sign-in (no deadlock).
    """
    refund(charged)
    unchanged = User.objects.select_for_update(no_key=True).filter(
        pk=user.pk, is_active=True, credential_version=user.credential_version
    )
    if not unchanged.exists():
        raise InvalidToken
    user.changed_by = client
    user.save(update_fields=["password"])
    session = replace_session(user, authentication, client, now, policy)
    if session is None:
        raise InvalidToken
    return session
