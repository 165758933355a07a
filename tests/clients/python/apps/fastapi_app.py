"""A service with FastAPI, whose routes ask for different things."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI
from latchkey_client import Claims, Introspection, TokenVerifier, Verifier
from latchkey_client.fastapi import require

URL, AUDIENCE = os.environ["LATCHKEY_URL"], os.environ["LATCHKEY_AUDIENCE"]
verifier: TokenVerifier = Verifier(URL, AUDIENCE)
introspection = Introspection(
    URL, os.environ["LATCHKEY_CLIENT_ID"], os.environ["LATCHKEY_CLIENT_SECRET"], audience=AUDIENCE
)
app = FastAPI()


@app.get("/hello")
async def hello(caller: Annotated[Claims, Depends(require(verifier))]) -> dict[str, str | None]:
    return {"user": caller.subject, "session": caller.session_id}


@app.get("/editors")
def editors(caller: Annotated[Claims, Depends(require(verifier, role="editor"))]) -> dict[str, str]:
    return {"user": caller.subject}


@app.get("/reports")
async def reports(caller: Annotated[Claims, Depends(require(verifier, scope="reports:read"))]) -> dict[str, str | None]:
    return {"client": caller.client_id}


@app.get("/payments")
async def payments(caller: Annotated[Claims, Depends(require(verifier, acr="aal2", max_age=300))]) -> dict[str, str]:
    return {"user": caller.subject}


@app.get("/keys")
async def keys(caller: Annotated[Claims, Depends(require(introspection, scope="reports:read"))]) -> dict[str, str]:
    return {"user": caller.subject}
