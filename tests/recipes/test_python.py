"""The recipes for FastAPI and Django, run with the real frameworks."""

import sys
from pathlib import Path

from tests.postgres import free_port
from tests.recipes.bearer_checks import assert_bearer_checks
from tests.recipes.jwks_checks import assert_tokens_are_verified, use_key_pair
from tests.recipes.recipe import add_credential, code_blocks, run_program
from tests.recipes.step_up_checks import assert_step_up_checks
from tests.server import Server

SETTINGS = """
SECRET_KEY = "only for this test"
INSTALLED_APPS = ["rest_framework"]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["127.0.0.1"]
"""
URLS = """
from django.urls import path
from views import Hello
urlpatterns = [path("hello", Hello.as_view())]
"""


def test_fastapi_recipe_accepts_only_live_tokens_by_introspection_and_asks_for_a_second_factor(
    tmp_path: Path, server: Server
) -> None:
    folder, port = tmp_path / "recipe", free_port()
    folder.mkdir()
    app, step_up = code_blocks("fastapi.md", "python")
    (folder / "app.py").write_text(app + step_up)
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, folder, port, **add_credential(server)) as url:
        assert_step_up_checks(url, server, "/payments")
        assert_bearer_checks(url, server)


def test_fastapi_jwks_recipe_verifies_tokens_locally(tmp_path: Path, server: Server) -> None:
    folder, port = tmp_path / "recipe", free_port()
    folder.mkdir()
    (app,) = code_blocks("fastapi_jwks.md", "python")
    (folder / "app.py").write_text(app)
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)]
    with run_program(command, folder, port, **use_key_pair(server)) as url:
        assert_tokens_are_verified(url, server)


def test_django_recipe_accepts_only_live_tokens_by_introspection(tmp_path: Path, server: Server) -> None:
    folder, port = tmp_path / "recipe", free_port()
    folder.mkdir()
    client, settings, view = code_blocks("django.md", "python")
    for name, text in {
        "latchkey_client": client,
        "settings": SETTINGS + settings,
        "views": view,
        "urls": URLS,
    }.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "django", "runserver", "--noreload", "--skip-checks", str(port)]
    environment = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    with run_program(command, folder, port, **environment, **add_credential(server)) as url:
        assert_bearer_checks(url, server)
