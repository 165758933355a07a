"""A service with Flask, whose routes ask for different things; one view is async."""

import os

from flask import Flask, g
from latchkey_client import Introspection, Verifier
from latchkey_client.flask import require

URL, AUDIENCE = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_AUDIENCE"]
verifier = Verifier(URL, AUDIENCE)
introspection = Introspection(
    URL, os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"], audience=AUDIENCE
)
app = Flask(__name__)


@app.get("/hello")
@require(verifier)
def hello() -> dict[str, str]:
    return {"user": g.claims.subject, "session": g.claims.session_id}


@app.get("/editors")
@require(verifier, role="editor")
async def editors() -> dict[str, str]:
    return {"user": g.claims.subject}


@app.get("/reports")
@require(verifier, scope="reports:read")
def reports() -> dict[str, str]:
    return {"client": g.claims.client_id}


@app.get("/payments")
@require(verifier, acr="aal2", max_age=300)
def payments() -> dict[str, str]:
    return {"user": g.claims.subject}


@app.get("/keys")
@require(introspection, scope="reports:read")
def keys() -> dict[str, str]:
    return {"user": g.claims.subject}
