"""What a proxy asks for every request of somebody's service, on the short way (latchkey/web/short_way.py)."""

from latchkey.services.whose import headers_of
from latchkey.sessions.authentication import presented_in
from latchkey.sessions.verify import verify
from latchkey.web.short_way import Environ, NoContent, PlainView


def tell(presented: str, environ: Environ) -> NoContent:
    """Do as VerifyView does."""
    token, _ = verify(presented)
    return NoContent(headers_of(token))


VERIFY = PlainView(
    presented_in, tell, (("Allow", "GET, HEAD, OPTIONS"), ("Cache-Control", "no-store")), negotiated=False
)
