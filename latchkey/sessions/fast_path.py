"""Fast handlers of sign-in and refresh, and the step that all handlers of signed-in requests share."""

from typing import Any, TypeGuard
from uuid import UUID

from django.conf import settings

from latchkey.accounts.models import EMAIL_MAX_LENGTH
from latchkey.conf.policy import cached_policy
from latchkey.core import clock
from latchkey.core.client import client_info
from latchkey.core.exceptions import PASSWORD_MAX_LENGTH
from latchkey.db.statements import Query
from latchkey.rate_limits.attempts import withdraw
from latchkey.sessions import access_tokens, refresh
from latchkey.sessions.login import charge_login, login
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.signing_keys import key_set
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import Admission, AsyncSteps, Environ, FastHandler, Rows, body_of, read_json_object
from latchkey.web.input import is_canonical_uuid, normalize_idempotency_key

CHARGE = "latchkey.charge"
"""Key in a WSGI environment: the attempt that was counted before the request waited for hashing."""

pair_body = body_of(TokenPairOutput)


def parse_login(environ: Environ) -> tuple[str, str] | None:
    """Return the e-mail address and the password as LoginInput validates them, None where it might object."""
    body = read_json_object(environ)
    email, password = body.get("email"), body.get("password")
    if _is_plain(email, EMAIL_MAX_LENGTH) and _is_plain(password, PASSWORD_MAX_LENGTH):
        return email.strip(), password
    return None


def _is_plain(text: Any, max_length: int) -> TypeGuard[str]:
    """Tell whether any validation accepts this text: printable, not blank, not too long."""
    return isinstance(text, str) and text.isprintable() and bool(text.strip()) and len(text) <= max_length


def handle_login(credentials: tuple[str, str], environ: Environ) -> dict[str, Any]:
    """Do as LoginView does, with the attempt that admit_login has counted."""
    return pair_body(login(*credentials, client_info(environ), environ.pop(CHARGE, None)))


def admit_login(credentials: tuple[str, str], environ: Environ) -> None:
    """Count the sign-in before it waits for hashing; raises TooManyAttempts."""
    environ[CHARGE] = charge_login(credentials[0], client_info(environ))


def withdraw_login(environ: Environ) -> None:
    """Take a sign-in back that found no place in the queue: neither a failure nor a success."""
    if charged := environ.pop(CHARGE, None):
        withdraw(charged)


def parse_refresh(environ: Environ) -> tuple[str, str] | None:
    """Return the refresh token and the Idempotency-Key as RefreshView validates them, None where it might object."""
    presented, header = read_json_object(environ).get("refresh_token"), environ.get("HTTP_IDEMPOTENCY_KEY")
    if not is_canonical_uuid(presented):
        return None
    if header is None:
        return presented, ""
    key = normalize_idempotency_key(header)
    return (presented, key) if key else None


def handle_refresh(parsed: tuple[str, str], environ: Environ) -> dict[str, Any]:
    """Do as RefreshView does."""
    presented, idempotency_key = parsed
    return pair_body(refresh.refresh(UUID(presented), client_info(environ), idempotency_key))


def prepare_refresh(parsed: tuple[str, str]) -> tuple[refresh.Rotation, Query] | None:
    """Return the rotation and its statement; None where the policy or the keys have to be read from the database."""
    now, policy, keys = clock.now(), cached_policy(), key_set.cached_keys()
    if policy is None or keys is None or settings.SIGNING_ALGORITHM == "RS256":  # which signs for a millisecond
        return None
    presented, idempotency_key = parsed
    return refresh.prepare(UUID(presented), now, policy, key_set.signing_key(now, keys), idempotency_key)


def finish_refresh(rotation: refresh.Rotation, rows: Rows, environ: Environ) -> dict[str, Any]:
    """Return the new pair of tokens, or raise what RefreshView raises."""
    return pair_body(refresh.finish(rotation, rows, client_info(environ)))


def prepare_access_token(presented: str) -> tuple[AccessToken, Query] | None:
    """Return a verified access token and the statement that finds its live session; None without cached keys."""
    keys = key_set.cached_keys()
    if keys is None:
        return None
    return access_tokens.prepare(presented, lambda kid: keys[kid].key if kid in keys else None)


LOGIN = FastHandler(parse_login, handle_login, admission=Admission(admit_login, withdraw_login))
REFRESH = FastHandler(parse_refresh, handle_refresh, AsyncSteps(prepare_refresh, finish_refresh))
