"""Tell whose access token it is, here and for the services behind us."""

from latchkey.core import clock
from latchkey.core.errors import InvalidToken
from latchkey.keys import ring
from latchkey.sessions.models import Session
from latchkey.sessions.shapes import Bearer
from latchkey.tokens import access_token
from latchkey.tokens.signed import AccessToken


def verify(presented: str) -> tuple[AccessToken, Bearer]:
    """Return what an access token says and whose it is, while its session is live; raises InvalidToken.

    One SELECT joins session and user, so that sign-out, deactivation and a new password act at the next
    request and not when the token expires.
    """
    now = clock.now()
    token = access_token.verify(presented, now, ring.find)
    bearer = Session.objects.bearer(token.session_id, now)
    if bearer is None or bearer.id != token.user_id:
        raise InvalidToken
    return token, bearer
