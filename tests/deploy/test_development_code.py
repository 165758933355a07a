"""Code for tests and development is not loaded or shipped in production."""

import json
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from tests.support.production import POSTGRESQL, production_server, read_settings

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOAD_ALL = (
    "import json, sys, latchkey.wsgi\nfrom django.urls import get_resolver\nassert get_resolver().url_patterns\n"
    "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
)


def names(requirements: list[str]) -> set[str]:
    """Return the package names of these requirements, without extras and versions."""
    return {requirement.partition("[")[0].partition(">")[0].partition("<")[0].strip() for requirement in requirements}


@pytest.mark.ledger("ASVS-15.2.3")
def test_production_process_loads_no_development_package(tmp_path: Path) -> None:
    done = production_server(tmp_path, POSTGRESQL).command("shell", "--no-imports", "-c", LOAD_ALL)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert {"latchkey", "django", "rest_framework", "constance"} <= loaded
    assert not loaded & {"tests", "bench", "conftest", "debug_toolbar", "silk", "django_extensions"}
    came_with = {package for module in loaded for package in packages_distributions().get(module, [])}
    shipped = names(PROJECT["project"]["dependencies"])
    assert not {package.lower() for package in came_with} & (names(PROJECT["dependency-groups"]["dev"]) - shipped)


@pytest.mark.ledger("ASVS-15.2.3")
def test_wheel_contains_the_package_only_and_no_tests() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["latchkey"]}
    sources = [path.relative_to(ROOT / "latchkey").as_posix() for path in (ROOT / "latchkey").rglob("*.py")]
    assert len(sources) > 50
    assert [name for name in sources if "test" in name or "debug" in name] == []


@pytest.mark.ledger("ASVS-15.2.3")
@pytest.mark.parametrize(("switch", "renderers"), [("on", 2), ("off", 1)])
def test_browsable_api_can_be_switched_off(tmp_path: Path, switch: str, renderers: int) -> None:
    settings = read_settings(production_server(tmp_path, POSTGRESQL, LATCHKEY_BROWSABLE_API=switch))
    assert settings["DEBUG"] is False
    assert len(settings["REST_FRAMEWORK"]["DEFAULT_RENDERER_CLASSES"]) == renderers
