"""Assertions for recipes that verify access tokens locally with the JWKS."""

import time
from typing import Any

import httpx
import jwt

from tests.people import Person
from tests.recipes.authorization_checks import assert_authorization_checks
from tests.recipes.bearer_checks import INVALID_AUTHORIZATIONS, assert_identity, get_hello
from tests.server import Server
from tests.support.simultaneous import decode_claims

ISSUER = "https://auth.example.com"


def use_key_pair(server: Server) -> dict[str, str]:
    """Let this Latchkey sign with a key pair; return the environment of the service."""
    set_token_lifetime(server, 1)
    server.environment |= {"LATCHKEY_SIGNING_ALGORITHM": "EdDSA", "LATCHKEY_PUBLIC_URL": ISSUER}
    server.stop()
    server.restart()
    return {"LATCHKEY_URL": server.url, "LATCHKEY_ISSUER": ISSUER}


def set_token_lifetime(server: Server, seconds: int) -> None:
    """Set the access token lifetime, which takes effect within 2 s."""
    imports = "from datetime import timedelta; from constance import config; "
    server.shell(f"{imports} config.ACCESS_TOKEN_LIFETIME = timedelta(seconds={seconds})")


def tampered_tokens(token: str, keys: list[dict[str, str]]) -> dict[str, str]:
    """Return forgeries of a token, made with the public keys."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    header, payload, signature = token.split(".")
    kid = jwt.get_unverified_header(token)["kid"]
    named = {"typ": "at+jwt", "kid": kid}
    other = jwt.encode(claims | {"sub": "1"}, "k" * 32, "HS256", named).split(".")
    return {
        "another payload": f"{header}.{other[1]}.{signature}",
        "no signature": f"{header}.{payload}.",
        "no algorithm": jwt.encode(claims, "", "none", named),
        "the public key as a secret": jwt.encode(claims, keys[0]["x"].ljust(32), "HS256", named),
        "an unknown key": jwt.encode(claims, "k" * 32, "HS256", named | {"kid": "x"}),
        "no key": jwt.encode(claims, "k" * 32, "HS256", {"typ": "at+jwt"}),
    }


def long_lived_token(server: Server) -> str:
    """Return a token that Latchkey's own key signed, but for longer than any setting allows."""
    return server.shell(
        "from datetime import timedelta\n"
        "from latchkey.core import clock\n"
        "from latchkey.signing_keys.key_set import signing_key\n"
        "from latchkey.tokens.access_token import issue\n"
        "now, session = clock.now(), Session.objects.order_by('-pk')[0]\n"
        "print(issue(session.user_id, session.pk, now, timedelta(hours=2), signing_key(now)))"
    )


def assert_tokens_are_verified(url: str, server: Server, notice_seconds: float = 10) -> None:
    """Assert that only valid tokens are accepted, also after a key rotation at once, and without Latchkey.

    notice_seconds is how long the service may take to know a key that signs at once.
    """
    with httpx.Client(base_url=server.url) as http:
        bob = Person(http, "bob@example.com").register().login()
        set_token_lifetime(server, 30)
        while time.time() <= decode_claims(bob.access_token)["exp"]:
            time.sleep(0.05)
        assert get_hello(url, f"Bearer {bob.access_token}").status_code == 401
        assert_authorization_checks(url, server, offline=True)
        alice = Person(http, "alice@example.com").register().login()
        while decode_claims(alice.access_token)["exp"] - decode_claims(alice.access_token)["iat"] != 30:
            time.sleep(0.1)
            alice.refresh()
        for scheme in ("Bearer", "bearer"):
            assert_identity(alice, get_hello(url, f"{scheme} {alice.access_token}").json())
        forged = tampered_tokens(alice.access_token, http.get("/.well-known/jwks.json").json()["keys"])
        for token in (
            *(text.removeprefix("Bearer ") for text in INVALID_AUTHORIZATIONS if "Bearer" in text),
            *forged.values(),
        ):
            answer = get_hello(url, f"Bearer {token}")
            assert answer.status_code == 401, (token, answer.text)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        for authorization in ("", f"Bearer {alice.refresh_token}"):
            assert get_hello(url, authorization).status_code == 401
        assert get_hello(url, f"Bearer {long_lived_token(server)}").status_code == 401
        assert server.command("keys", "rotate", "--now").returncode == 0
        before = jwt.get_unverified_header(alice.access_token)["kid"]
        deadline = time.monotonic() + notice_seconds
        while jwt.get_unverified_header(alice.refresh().access_token)["kid"] == before:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        while (answer := get_hello(url, f"Bearer {alice.refresh().access_token}")).status_code != 200:
            assert time.monotonic() < deadline, answer.text
            time.sleep(0.1)
        assert_identity(alice, answer.json())
        server.kill()
        assert_identity(alice, get_hello(url, f"Bearer {alice.access_token}").json())
