"""Delete one's own account, with the password for reauthentication."""

from latchkey.accounts.reauthentication import get_user, reauthenticate
from latchkey.audit.events import Event
from latchkey.audit.log import record
from latchkey.core.client import ClientInfo
from latchkey.core.exceptions import InvalidToken
from latchkey.profile.erasure import erase
from latchkey.rate_limits.attempts import refund


def delete_account(user_id: int, password: str, client: ClientInfo) -> None:
    """Delete the account for good.

    The password is required because an access token does not show that the account's owner is there. Raises
    WrongPassword, TooManyAttempts, LastSuperuser; and InvalidToken if the account has changed since the password was
    checked, because then its sessions have ended.
    """
    user = get_user(user_id)
    refund(reauthenticate(user, password, client))
    if not erase(user, is_active=True, credential_version=user.credential_version):
        raise InvalidToken
    record(Event.USER_DELETED, client, user_id=user.pk, persisted=True)
