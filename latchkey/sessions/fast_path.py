"""Fast handler of refresh, and the step that all handlers of signed-in requests share."""

from typing import Any
from uuid import UUID

from django.conf import settings

from latchkey.conf.policy import cached_policy
from latchkey.core import clock
from latchkey.core.client import client_info
from latchkey.db.statements import Query
from latchkey.sessions import access_tokens, refresh
from latchkey.sessions.serializers import TokenPairOutput
from latchkey.signing_keys import key_set
from latchkey.tokens.access_token import AccessToken
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, Rows, body_of, read_json_object
from latchkey.web.input import is_canonical_uuid, normalize_idempotency_key

pair_body = body_of(TokenPairOutput)


def parse_refresh(environ: Environ) -> tuple[str, str] | None:
    """Return the refresh token and the Idempotency-Key as RefreshView validates them, None where it might object."""
    presented, key = read_json_object(environ).get("refresh_token"), parse_idempotency_key(environ)
    return (presented, key) if is_canonical_uuid(presented) and key is not None else None


def parse_idempotency_key(environ: Environ) -> str | None:
    """Return the Idempotency-Key of a request, empty without the header, None for one that is none."""
    header = environ.get("HTTP_IDEMPOTENCY_KEY")
    return "" if header is None else normalize_idempotency_key(header) or None


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


REFRESH = FastHandler(parse_refresh, handle_refresh, AsyncSteps(prepare_refresh, finish_refresh))
