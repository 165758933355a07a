"""The recipes for FastAPI and Django, run with the real frameworks."""

import os
import sys
from pathlib import Path

from tests.postgres import free_port
from tests.recipes.authorization_checks import AUDIENCE, assert_authorization_checks
from tests.recipes.bearer_checks import assert_bearer_checks
from tests.recipes.jwks_checks import assert_tokens_are_verified, use_key_pair
from tests.recipes.recipe import add_credential, code_blocks, run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.server import Server

CLIENT = {"PYTHONPATH": str(Path(__file__).parents[2] / "clients" / "python" / "src")}
"""The environment in which the package latchkey-client is found, as if it was installed."""

NOTICE_SECONDS = 70
"""Seconds within which the package knows a key that signs at once: it looks up unknown keys once a minute."""

SETTINGS = """
SECRET_KEY = "only for this test"
INSTALLED_APPS = ["rest_framework"]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["127.0.0.1"]
"""
URLS = """
from django.urls import path
from views import Editors, Hello, Reports
urlpatterns = [
    path("hello", Hello.as_view()),
    path("editors", Editors.as_view()),
    path("reports", Reports.as_view()),
]
"""


def test_fastapi_recipe_accepts_only_live_tokens_by_introspection_and_asks_for_more(
    tmp_path: Path, server: Server
) -> None:
    folder, port = tmp_path / "recipe", free_port()
    folder.mkdir()
    (folder / "app.py").write_text("".join(code_blocks("fastapi.md", "python")))
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, folder, port, LATCHKEY_AUDIENCE=AUDIENCE, **add_credential(server), **CLIENT) as url:
        assert_authorization_checks(url, server)
        assert_step_up_checks(url, server, "/payments")
        assert_bearer_checks(url, server)


def test_fastapi_jwks_recipe_verifies_tokens_locally(tmp_path: Path, server: Server) -> None:
    folder, port = tmp_path / "recipe", free_port()
    folder.mkdir()
    (folder / "app.py").write_text("".join(code_blocks("fastapi_jwks.md", "python")))
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, folder, port, LATCHKEY_AUDIENCE=AUDIENCE, **use_key_pair(server), **CLIENT) as url:
        assert_tokens_are_verified(url, server, NOTICE_SECONDS)


def write_django_project(folder: Path, page: str) -> list[str]:
    """Write the project of a page; return the command that serves it."""
    folder.mkdir()
    authentication, settings, view, more_views = code_blocks(page, "python")
    for name, text in {
        "authentication": authentication,
        "settings": SETTINGS + settings,
        "views": view + more_views,
        "urls": URLS,
    }.items():
        (folder / f"{name}.py").write_text(text)
    return [sys.executable, "-m", "django", "runserver", "--noreload", "--skip-checks"]


def django_environment(folder: Path) -> dict[str, str]:
    path = f"{folder}{os.pathsep}{CLIENT['PYTHONPATH']}"
    return {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": path, "LATCHKEY_AUDIENCE": AUDIENCE}


def test_django_recipe_accepts_only_live_tokens_by_introspection(tmp_path: Path, server: Server) -> None:
    folder, port = tmp_path / "recipe", free_port()
    command = [*write_django_project(folder, "django.md"), str(port)]
    with run_program(command, folder, port, **django_environment(folder), **add_credential(server)) as url:
        assert_authorization_checks(url, server)
        assert_bearer_checks(url, server)


def test_django_jwks_recipe_verifies_tokens_locally(tmp_path: Path, server: Server) -> None:
    folder, port = tmp_path / "recipe", free_port()
    command = [*write_django_project(folder, "django_jwks.md"), str(port)]
    with run_program(command, folder, port, **django_environment(folder), **use_key_pair(server)) as url:
        assert_tokens_are_verified(url, server, NOTICE_SECONDS)
