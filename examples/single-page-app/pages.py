"""Static files of the example, with a strict Content-Security-Policy (CSP Level 3)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

PUBLIC = Path(__file__).parent / "public"


def content_security_policy(latchkey_url: str) -> str:
    """Return the policy: scripts and styles from files of this origin, requests to it and to Latchkey, nothing else.

    An injected script is the one attack that an HttpOnly cookie does not stop, as the script can send requests while
    the page is open. `data:` images are the QR code. Trusted Types refuse HTML from text (`innerHTML`).
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {latchkey_url}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def mount_pages(app: FastAPI, latchkey_url: str, typescript_client: str) -> None:
    """Serve `public/`, the TypeScript client at /latchkey-client/, and the address of Latchkey at /config.js."""
    headers = {
        "Content-Security-Policy": content_security_policy(latchkey_url),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(headers)
        return response

    @app.get("/config.js")
    def config() -> Response:
        script = f"export const LATCHKEY_URL = {json.dumps(latchkey_url)};\n"
        return Response(script, media_type="text/javascript")

    app.mount("/latchkey-client", StaticFiles(directory=typescript_client))
    app.mount("/", StaticFiles(directory=PUBLIC, html=True))
