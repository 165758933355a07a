"""The fast path of the verify endpoint, which a reverse proxy asks for every request (latchkey/web/fast_path)."""

from latchkey.oauth.introspection import identity_headers
from latchkey.sessions import access_tokens as verify
from latchkey.sessions.authentication import bearer_token
from latchkey.sessions.fast_path import prepare_verify
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, NoContent, Rows


def handle_verify(presented: str, environ: Environ) -> NoContent:
    """Do as VerifyView does."""
    return NoContent(identity_headers(verify.authenticate(presented)[0]))


def finish_verify(token: AccessToken, rows: Rows, environ: Environ) -> NoContent:
    verify.finish(token, rows)
    return NoContent(identity_headers(token))


VERIFY = FastHandler(
    bearer_token,
    handle_verify,
    (("Allow", "GET, HEAD, OPTIONS"), ("Cache-Control", "no-store")),
    negotiated=False,
    async_steps=AsyncSteps(prepare_verify, finish_verify),
)
