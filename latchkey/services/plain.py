"""What a proxy asks for every request of somebody's service, on the short way (latchkey/web/short_way.py)."""

from latchkey.services.whose import headers_of
from latchkey.sessions import verify
from latchkey.sessions.authentication import presented_in
from latchkey.sessions.plain import begin_to_verify
from latchkey.tokens.signed import AccessToken
from latchkey.web.plain_view import Environ, Halves, NoContent, PlainView, Rows


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
