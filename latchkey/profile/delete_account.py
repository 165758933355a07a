"""Close one's own account."""

from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.profile.erasure import erase
from latchkey.rate_limits.attempts import refund


def delete_account(user_id: int, password: str, client: ClientInfo) -> None:
    """Delete the account whose password this is, for good.

    The password is asked for again, because an access token is no proof that its owner is there. What was proven must
    still hold: raises InvalidToken where the account has changed meanwhile, for then its sessions have ended, and what
    prove_again and erase raise.
    """
    user = get_user(user_id)
    refund(reauthenticate(user, password, client))
    if not erase(user, is_active=True, credential_version=user.credential_version):
        raise InvalidToken
    record(Event.USER_DELETED, client, user_id=user.pk, persisted=True)
