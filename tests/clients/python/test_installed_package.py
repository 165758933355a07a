"""The installed wheel: alone in an empty environment, and with the real FastAPI, Flask, Django and REST Framework."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.python import wheel
from tests.clients.python.conftest import AUDIENCE, PACKAGE, add_client
from tests.people import Person
from tests.postgres import free_port
from tests.recipes.jwks_checks import tampered_tokens
from tests.recipes.recipe import run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.server import Server

pytestmark = pytest.mark.clients
APPS = Path(__file__).parent / "apps"
TYPES = ["mypy", "django-stubs", "djangorestframework-stubs"]

USE_WITHOUT_A_FRAMEWORK = """
import asyncio, json, sys
import httpx
import latchkey_client
from latchkey_client import ClientCredentials, Introspection, LatchkeyAuth, MissingRole, Verifier

url, secret, token = sys.argv[1:]
verifier, introspection = Verifier(url), Introspection(url, "installed", secret)
assert verifier.verify(token) == asyncio.run(verifier.averify(token))
assert introspection.verify(token).email == "dora@example.com"
try:
    verifier.verify(token, role="editor")
except MissingRole as error:
    print(error.headers)
credentials = ClientCredentials(url, "installed", secret, scope="users:read")
with httpx.Client(base_url=url, auth=LatchkeyAuth(credentials)) as client:
    print(client.get("/api/users/").status_code)
print(latchkey_client.__file__)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.build(PACKAGE, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def programs(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, its extras, uvicorn and mypy."""
    folder = tmp_path_factory.mktemp("frameworks") / "environment"
    return wheel.install(folder, f"{built}[fastapi,django,flask]", "uvicorn", "asgiref", *TYPES)


@pytest.fixture(scope="module")
def credential(latchkey: Server) -> dict[str, str]:
    """The environment of a service with a client credential."""
    secret = add_client(latchkey, "service")
    known = {"LATCHKEY_CLIENT_ID": "service", "LATCHKEY_CLIENT_SECRET": secret}
    return {"LATCHKEY_URL": latchkey.url, "LATCHKEY_AUDIENCE": AUDIENCE} | known


@pytest.fixture(scope="module", params=["fastapi", "flask", "django", "rest_framework"])
def service(
    request: pytest.FixtureRequest, programs: Path, credential: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a service with this framework, which protects its routes with the installed package."""
    folder, port, name = tmp_path_factory.mktemp(request.param), free_port(), f"{request.param}_app"
    shutil.copy(APPS / f"{name}.py", folder)
    command = [str(programs / "uvicorn"), f"{name}:app", "--port", str(port), "--lifespan", "off"]
    if request.param == "flask":
        command = [str(programs / "flask"), "--app", name, "run", "--port", str(port)]
    with run_program(command, folder, port, **credential) as url:
        yield url


def get(url: str, path: str, token: str | None) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}{path}", headers=headers, timeout=20)


def assert_refused(answer: httpx.Response, status: int, challenge: str) -> None:
    """Assert that the answer is JSON with a sentence, and that its challenge begins so."""
    assert (answer.status_code, list(answer.json())) == (status, ["detail"]), answer.text
    assert answer.headers["WWW-Authenticate"].startswith(challenge), answer.headers


def test_wheel_works_alone_in_an_empty_environment(
    built: Path, latchkey: Server, visitor: httpx.Client, tmp_path: Path
) -> None:
    programs = wheel.install(tmp_path / "environment", str(built))
    listed = json.loads(
        wheel.run(wheel.UV, "pip", "list", "--python", str(programs.parent), "--format", "json", folder=tmp_path)
    )
    names = {each["name"] for each in listed}
    assert {"latchkey-client", "httpx", "pyjwt", "cryptography"} <= names
    assert not names & {"latchkey", "django", "djangorestframework", "fastapi", "flask", "starlette"}
    secret = add_client(latchkey, "installed", "--scope", "users:read")
    dora = Person(visitor, "dora@example.com").register().login()
    code = ["-W", "error", "-c", USE_WITHOUT_A_FRAMEWORK]
    printed = wheel.run(str(programs / "python"), *code, latchkey.url, secret, dora.access_token, folder=tmp_path)
    refused, status, file = printed.splitlines()
    assert "insufficient_scope" in refused
    assert status == "200"
    assert file.startswith(str(tmp_path))


def test_installed_package_has_types_that_mypy_checks_strictly(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\nwarn_unreachable = true\n")
    wheel.run(str(programs / "mypy"), "-p", "latchkey_client", folder=tmp_path)
    for name in ("fastapi_app", "flask_app", "django_app", "rest_framework_app"):
        shutil.copy(APPS / f"{name}.py", tmp_path)
        wheel.run(str(programs / "mypy"), f"{name}.py", folder=tmp_path)
    (tmp_path / "wrong.py").write_text(
        "from latchkey_client import Verifier\nVerifier('https://auth.example.com').verify('x', rolle='editor')\n"
    )
    with pytest.raises(AssertionError, match="rolle"):
        wheel.run(str(programs / "mypy"), "wrong.py", folder=tmp_path)


def test_readme_example_for_flask_accepts_sessions_and_api_keys(
    programs: Path, credential: dict[str, str], people: dict[str, Person], others: dict[str, str], tmp_path: Path
) -> None:
    _, example, _ = re.findall(r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "app.py").write_text(example)
    port, bob = free_port(), people["bob"].login()
    with run_program([str(programs / "flask"), "run", "--port", str(port)], tmp_path, port, **credential) as url:
        assert get(url, "/hello", bob.access_token).json() == {"user": str(bob.id), "email": bob.email}
        assert get(url, "/reports", bob.access_token).status_code == 403
        assert get(url, "/reports", others["key of an application"]).json() == {"owner": "reports"}


def test_framework_serves_valid_tokens_with_what_their_routes_ask_for(
    service: str, people: dict[str, Person], others: dict[str, str]
) -> None:
    alice = people["alice"].login()
    for path, token, key, value in (
        ("/hello", alice.access_token, "user", str(alice.id)),
        ("/editors", alice.access_token, "user", str(alice.id)),
        ("/reports", others["application"], "client", "reports"),
        ("/keys", others["application"], "user", "reports"),
        ("/keys", others["key of a person"], "user", str(alice.id)),
        ("/keys", alice.access_token, "user", str(alice.id)),
    ):
        answer = get(service, path, token)
        assert (answer.status_code, answer.json()[key]) == (200, value), (path, answer.text)


def test_framework_answers_401_without_a_valid_token(
    latchkey: Server, service: str, people: dict[str, Person], others: dict[str, str]
) -> None:
    alice = people["alice"].login()
    keys = httpx.get(f"{latchkey.url}/.well-known/jwks.json").json()["keys"]
    for path in ("/hello", "/editors", "/reports", "/payments", "/keys"):
        answer = get(service, path, None)
        assert_refused(answer, 401, "Bearer")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert httpx.get(f"{service}{path}", headers={"Authorization": "Basic YTpi"}).status_code == 401
        for token in (*tampered_tokens(alice.access_token, keys).values(), alice.refresh_token, "x&y=z", "x"):
            assert_refused(get(service, path, token), 401, 'Bearer error="invalid_token"')
        assert_refused(
            get(service, path, others["application for another service"]), 401, 'Bearer error="invalid_token"'
        )


def test_framework_answers_403_to_valid_tokens_that_fall_short(
    service: str, people: dict[str, Person], others: dict[str, str]
) -> None:
    alice, bob = (people[name].login().access_token for name in ("alice", "bob"))
    challenge = 'Bearer error="insufficient_scope"'
    for path, token in (
        ("/hello", others["application"]),
        ("/editors", others["application"]),
        ("/editors", bob),
        ("/payments", others["application"]),
    ):
        answer = get(service, path, token)
        assert_refused(answer, 403, challenge)
        assert "scope=" not in answer.headers["WWW-Authenticate"]
    for path, token in (
        ("/reports", alice),
        ("/reports", others["application without the scope"]),
        ("/keys", others["application without the scope"]),
        ("/keys", bob),
    ):
        answer = get(service, path, token)
        assert_refused(answer, 403, challenge)
        assert answer.headers["WWW-Authenticate"].endswith('scope="reports:read"')


def test_framework_asks_for_a_recent_second_factor(service: str, latchkey: Server) -> None:
    assert_step_up_checks(service, latchkey, "/payments")
    latchkey.shell("User.objects.filter(email='carol@example.com').delete()")


def test_framework_answers_503_while_latchkey_is_down(
    service: str, latchkey: Server, people: dict[str, Person], others: dict[str, str]
) -> None:
    alice = people["alice"].login().access_token
    assert get(service, "/hello", alice).status_code == 200
    latchkey.kill()
    try:
        assert get(service, "/hello", alice).status_code == 200
        answer = get(service, "/keys", others["key of an application"])
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert "WWW-Authenticate" not in answer.headers
    finally:
        latchkey.restart()
