"""Decorator for views of Flask that accepts bearer tokens: 401, 403 and 503 with the headers of RFC 6750 and RFC 9470.

@app.get("/articles")
@require(verifier, role="editor")
def articles():
    return {"user": g.claims.subject}
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Unpack

from flask import Response, abort, current_app, g, jsonify, request

from latchkey_client.bearer import TokenVerifier, read_token
from latchkey_client.errors import LatchkeyError
from latchkey_client.requirement import Requirement, RequirementOptions

View = Callable[..., Any]


def require(verifier: TokenVerifier, **requirement: Unpack[RequirementOptions]) -> Callable[[View], View]:
    """Return a decorator that sets `flask.g.claims` to the claims of a valid token; see Requirement for the arguments.

    Without arguments a user has to be signed in. Otherwise the view is not called; the answer is JSON
    with `detail`.
    """
    needed = Requirement(**requirement)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                g.claims = verifier.check(read_token(request.headers.get("Authorization")), needed)
            except LatchkeyError as error:
                abort(_response(error))
            return current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    return decorate


def _response(error: LatchkeyError) -> Response:
    response = jsonify(detail=str(error))
    response.status_code = error.status
    response.headers.update(error.headers)
    return response
