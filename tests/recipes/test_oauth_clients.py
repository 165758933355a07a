"""The token endpoint with the client libraries that services use: Authlib, and oauth4webapi with jose on Node."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from tests.oauth.applications import KeyPair
from tests.server import Server

pytestmark = pytest.mark.recipes
HERE, RESOURCE, SCOPE = Path(__file__).parent / "oauth4webapi", "https://orders.example.com", "orders:read"
ADD = """
import json, sys
from latchkey.applications.models import Application
from latchkey.applications.secrets import add_secret
from latchkey.authorization.models import Scope
application = Application.objects.create(client_id="billing", resources=["{resource}"], public_keys={keys})
application.scopes.add(Scope.objects.create(name="{scope}", description="Read orders."))
print("secret", add_secret("billing"))
"""


@pytest.fixture
def issuer(tmp_path: Path, database_url: str) -> Iterator[Server]:
    """A server that signs with a key pair, so that others can verify its tokens; its URL is its issuer."""
    server = Server(tmp_path, database_url)
    server.environment |= {"LATCHKEY_PUBLIC_URL": server.url, "LATCHKEY_SIGNING_ALGORITHM": "EdDSA"}
    yield server.start()
    server.kill()


def add_application(server: Server, *pairs: KeyPair) -> str:
    """Add an application with these public keys; return its secret."""
    return server.shell(ADD.format(resource=RESOURCE, scope=SCOPE, keys=[pair.public for pair in pairs])).split()[-1]


def assert_token_of_billing(server: Server, token: str) -> None:
    """Assert that a resource server accepts the token, by the published keys."""
    metadata = httpx.get(f"{server.url}/.well-known/oauth-authorization-server").json()
    keys = jwt.PyJWKSet.from_dict(httpx.get(metadata["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["EdDSA"], audience=RESOURCE, issuer=server.url)
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("billing", "billing", SCOPE)


def test_authlib_gets_tokens_by_every_method_of_client_authentication(issuer: Server) -> None:
    pair = KeyPair("RS256")
    secret = add_application(issuer, pair)
    url = httpx.get(f"{issuer.url}/.well-known/oauth-authorization-server").json()["token_endpoint"]
    pem = pair.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for method, credential in (
        ("client_secret_basic", secret),
        ("client_secret_post", secret),
        ("private_key_jwt", pem),
    ):
        with OAuth2Client("billing", credential, token_endpoint_auth_method=method) as client:
            client.register_client_auth_method(PrivateKeyJWT(url))
            token = client.fetch_token(url, grant_type="client_credentials", scope=SCOPE, resource=RESOURCE)
            assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 300, SCOPE)
            assert "refresh_token" not in token
            assert_token_of_billing(issuer, token["access_token"])
            introspected = client.introspect_token(f"{issuer.url}/oauth/introspect/", "unknown")
            assert introspected.json() == {"active": False}
            with pytest.raises(OAuthError, match="invalid_scope"):
                client.fetch_token(url, grant_type="client_credentials", scope="nobody:has-it")
    with OAuth2Client("billing", "wrong") as client, pytest.raises(OAuthError, match="invalid_client"):
        client.fetch_token(url, grant_type="client_credentials")


def test_authlib_fetches_a_new_token_by_itself_before_the_old_one_expires(issuer: Server) -> None:
    secret = add_application(issuer)
    url = f"{issuer.url}/oauth/token/"
    with OAuth2Client("billing", secret, token_endpoint=url, grant_type="client_credentials") as client:
        client.fetch_token(url)
        first = client.token["access_token"]
        client.token["expires_at"] = 1
        client.get(f"{issuer.url}/livez")
        assert client.token["access_token"] != first


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The path of Node, and a folder with the client and the packages of package-lock.json."""
    found = {name: shutil.which(name) for name in ("node", "npm")}
    if not all(found.values()):
        pytest.fail("This test needs Node 20 or newer, with npm", pytrace=False)
    folder = tmp_path_factory.mktemp("oauth4webapi")
    for name in ("package.json", "package-lock.json", "client.mjs"):
        shutil.copy(HERE / name, folder)
    installing = [str(found["npm"]), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(installing, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert installed.returncode == 0, installed.stderr
    return str(found["node"]), folder


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_oauth4webapi_gets_tokens_that_jose_verifies(node: tuple[str, Path], issuer: Server, algorithm: str) -> None:
    program, folder = node
    pair = KeyPair(algorithm)
    secret = add_application(issuer, pair)
    to_jwk: Any = OKPAlgorithm.to_jwk if algorithm == "EdDSA" else ECAlgorithm.to_jwk
    jwk = to_jwk(pair.private, as_dict=True) | {"kid": pair.kid}
    given = {
        "issuer": issuer.url,
        "clientId": "billing",
        "secret": secret,
        "jwk": {name: value for name, value in jwk.items() if name != "key_ops"},
        "scope": SCOPE,
        "resource": RESOURCE,
    }
    command = [program, "client.mjs", json.dumps(given)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results.pop("error") == {"error": "invalid_scope", "status": 400}
    assert sorted(results) == ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    for result in results.values():
        assert (result["token"]["token_type"], result["token"]["expires_in"]) == ("bearer", 300)
        assert result["introspection"] == {"active": False}
        payload = result["payload"]
        assert (payload["sub"], payload["client_id"], payload["scope"]) == ("billing", "billing", SCOPE)
