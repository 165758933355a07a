"""Fast handlers of sign-in and refresh in a browser (web/fast_path.py): those of the API, with a cookie beside."""

from uuid import UUID

from latchkey.browser_sessions.cookie import cookie_header, read_cookies
from latchkey.browser_sessions.serializers import BrowserTokenOutput
from latchkey.conf.policy import Policy, current_policy
from latchkey.core.client import client_info
from latchkey.sessions import refresh
from latchkey.sessions.fast_path import parse_idempotency_key, prepare_refresh
from latchkey.sessions.logout import end_replaced_sessions
from latchkey.sign_in.fast_path import admit_login, login_charged, parse_login, withdraw_login
from latchkey.tokens.access_token import TokenPair
from latchkey.web.fast_path import (
    Admission,
    AsyncSteps,
    Environ,
    FastHandler,
    Rows,
    WithHeaders,
    body_of,
    is_empty_json_object,
)
from latchkey.web.origin import is_allowed

token_body = body_of(BrowserTokenOutput)


def signed_in(pair: TokenPair, policy: Policy) -> WithHeaders:
    """Return the body with the access token, and the header that stores the refresh token in the cookie."""
    lifetime = int(policy.refresh_token_lifetime.total_seconds())
    return WithHeaders(token_body(pair), {"Set-Cookie": cookie_header(pair.refresh_token, lifetime)})


def parse_browser_login(environ: Environ) -> tuple[str, str] | None:
    """Return the e-mail address and the password, None where BrowserLoginView might object."""
    return parse_login(environ) if is_allowed(environ) else None


def handle_browser_login(credentials: tuple[str, str], environ: Environ) -> WithHeaders:
    """Do as BrowserLoginView does, with the attempt that admit_login has counted."""
    pair = login_charged(credentials, environ)
    end_replaced_sessions(read_cookies(environ), client_info(environ))
    return signed_in(pair, current_policy())


def parse_browser_refresh(environ: Environ) -> tuple[str, str] | None:
    """Return the refresh token of the cookie and the Idempotency-Key, None where BrowserRefreshView might object."""
    tokens = read_cookies(environ) if is_allowed(environ) else []
    if len(tokens) != 1 or not is_empty_json_object(environ):
        return None
    key = parse_idempotency_key(environ)
    return None if key is None else (str(tokens[0]), key)


def handle_browser_refresh(parsed: tuple[str, str], environ: Environ) -> WithHeaders:
    """Do as BrowserRefreshView does."""
    presented, key = parsed
    return signed_in(refresh.refresh(UUID(presented), client_info(environ), key), current_policy())


def finish_browser_refresh(rotation: refresh.Rotation, rows: Rows, environ: Environ) -> WithHeaders:
    """Return the new tokens, or raise what BrowserRefreshView raises."""
    return signed_in(refresh.finish(rotation, rows, client_info(environ)), rotation.policy)


BROWSER_LOGIN = FastHandler(parse_browser_login, handle_browser_login, admission=Admission(admit_login, withdraw_login))
BROWSER_REFRESH = FastHandler(
    parse_browser_refresh, handle_browser_refresh, AsyncSteps(prepare_refresh, finish_browser_refresh)
)
