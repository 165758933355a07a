"""Fast handler of the token endpoint, for client secrets (web/fast_path.py)."""

from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings

from latchkey.applications.credentials import SecretCredential, finish_secret, secret_query
from latchkey.conf.policy import Policy, cached_policy, current_policy
from latchkey.core import clock
from latchkey.core.api_error import ApiError
from latchkey.core.client import client_info
from latchkey.db.statements import Query
from latchkey.oauth.client_authentication import read_credential, single_parameters
from latchkey.oauth.token_grant import TokenRequest, issue_token, parse_request
from latchkey.signing_keys import key_set
from latchkey.tokens.access_token import Key
from latchkey.web.fast_path import AsyncSteps, Environ, FastHandler, Rows, read_form


class FastTokenRequest(NamedTuple):
    """A request for a token with a client secret."""

    credential: SecretCredential
    asked: TokenRequest


class PreparedToken(NamedTuple):
    """A request, and what its token is signed with once its credential has been checked."""

    request: FastTokenRequest
    now: datetime
    policy: Policy
    key: Key | None


def parse_token(environ: Environ) -> FastTokenRequest | None:
    """Return the credential and the request as TokenView reads them, None where it might object."""
    form = read_form(environ)
    if not form:
        return None
    try:
        parameters = single_parameters(form)
        credential = read_credential(environ.get("HTTP_AUTHORIZATION"), parameters)
        if not isinstance(credential, SecretCredential):
            return None
        return FastTokenRequest(credential, parse_request(parameters, form.get("resource")))
    except ApiError:
        return None


def handle_token(parsed: FastTokenRequest, environ: Environ) -> dict[str, Any]:
    """Do as TokenView does."""
    client = client_info(environ)
    application = finish_secret(secret_query(parsed.credential).fetch(), client)
    now = clock.now()
    policy, key = current_policy(), key_set.signing_key(now)
    return issue_token(application, parsed.asked, client, now, policy, key).body


def prepare_token(parsed: FastTokenRequest) -> tuple[PreparedToken, Query] | None:
    """Return the request and its statement; None where the policy or the keys have to be read from the database."""
    now, policy, keys = clock.now(), cached_policy(), key_set.cached_keys()
    if policy is None or keys is None or settings.SIGNING_ALGORITHM == "RS256":  # which signs for a millisecond
        return None
    return PreparedToken(parsed, now, policy, key_set.signing_key(now, keys)), secret_query(parsed.credential)


def finish_token(prepared: PreparedToken, rows: Rows, environ: Environ) -> dict[str, Any]:
    """Return the new token, or raise what TokenView raises."""
    request, now, policy, key = prepared
    client = client_info(environ)
    return issue_token(finish_secret(rows, client), request.asked, client, now, policy, key).body


TOKEN = FastHandler(parse_token, handle_token, AsyncSteps(prepare_token, finish_token))
