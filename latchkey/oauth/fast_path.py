"""Fast handler of the verify endpoint, which a reverse proxy asks for every request (web/fast_path.py)."""

from latchkey.oauth.introspection import identity_headers
from latchkey.sessions import access_tokens
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.fast_path import prepare_access_token
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, NoContent, Rows


def handle_verify(presented: str, environ: Environ) -> NoContent:
    """Return the identity headers, as VerifyView does; raises InvalidToken."""
    token, user = access_tokens.authenticate_access_token(presented)
    return NoContent(identity_headers(token, bool(user.email_verified)))


def finish_verify(token: AccessToken, rows: Rows, environ: Environ) -> NoContent:
    """Return the identity headers if the session is live; raises InvalidToken."""
    return NoContent(identity_headers(token, bool(access_tokens.finish(token, rows).email_verified)))


VERIFY = FastHandler(bearer_token, handle_verify, AsyncSteps(prepare_access_token, finish_verify))
