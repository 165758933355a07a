"""Name of the cookie that has the refresh token of a browser session (RFC 6265bis section 4.1.3)."""

import re


def refresh_cookie_name(production: bool, public_path: str) -> str:
    """Return the name: `__Host-latchkey-refresh` in production, with the public path where there is one.

    The prefix `__Host-` keeps other subdomains from setting the cookie, and requires TLS and the path '/'. The cookie
    has that path everywhere, so that an application on the same host can render pages on its server; two installations
    behind different paths of one host therefore need two names.
    """
    suffix = re.sub(r"[^a-z0-9]+", "-", public_path.lower()).strip("-")
    return "-".join(filter(None, ("__Host-latchkey-refresh" if production else "latchkey-refresh", suffix)))
