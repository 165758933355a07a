"""The fast path of the verify endpoint, which a reverse proxy asks for every request (latchkey/web/fast_path)."""

from latchkey.oauth.introspection import headers_of
from latchkey.sessions import access_tokens as verify
from latchkey.sessions.authentication import presented_in
from latchkey.sessions.fast_path import begin_to_verify
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path.handler import Environ, Halves, NoContent, PlainView, Rows


def tell(presented: str, environ: Environ) -> NoContent:
    """Do as VerifyView does."""
    return NoContent(headers_of(verify.verify(presented)[0]))


def end_telling(token: AccessToken, rows: Rows, environ: Environ) -> NoContent:
    verify.end(token, rows)
    return NoContent(headers_of(token))


VERIFY = PlainView(
    presented_in,
    tell,
    (("Allow", "GET, HEAD, OPTIONS"), ("Cache-Control", "no-store")),
    negotiated=False,
    halves=Halves(begin_to_verify, end_telling),
)
