"""The documents match the code: error codes, settings, environment variables, routes and links."""

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from latchkey.conf.policy import Policy
from latchkey.core.exceptions import ApiError
from latchkey.web.openapi.operation import ALL_ERRORS
from tests.support.package_ast import environment_variables

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """Return the table rows of a page whose first cell is code, keyed by that cell."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row for row in cells}


@pytest.mark.parametrize("error", ALL_ERRORS, ids=lambda error: error.code)
def test_errors_page_documents_each_error_code_with_its_status(error: type[ApiError]) -> None:
    assert rows("errors.md")[error.code][1] == str(error.status)


def test_errors_page_documents_no_unknown_error_code() -> None:
    assert set(rows("errors.md")) == {error.code for error in ALL_ERRORS}


@pytest.mark.parametrize("setting", fields(Policy), ids=lambda setting: setting.name)
def test_settings_page_documents_each_setting_with_its_default_and_range(setting: Field[Any]) -> None:
    name, metadata = setting.name, setting.metadata
    _, default, span, _ = rows("settings.md")[name.upper()]
    assert default == str(getattr(Policy(), name))
    choices, form = metadata.get("choices"), metadata.get("form")
    assert span == (
        form
        or (f"{', '.join(choices[:-1])} or {choices[-1]}" if choices else "{minimum} to {maximum}".format(**metadata))
    )


def test_settings_page_documents_every_environment_variable() -> None:
    documented = {name for name in rows("settings.md") if re.fullmatch(r"(LATCHKEY|OTEL)_\w+|\w+_URL", name)}
    documented -= {setting.name.upper() for setting in fields(Policy)}
    assert documented == environment_variables()


def test_architecture_page_documents_every_route() -> None:
    documented = set(rows("architecture.md"))
    for route in get_resolver().url_patterns:
        assert isinstance(route, URLPattern | URLResolver)
        path = f"/{route.pattern}"
        assert path in documented or f"{path}/" in documented, path


def test_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("**/*.md"))], ids=lambda page: page.name)
def test_relative_links_of_the_documents_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_modules_of_the_package_have_at_most_400_lines() -> None:
    sources = [path for path in (ROOT / "latchkey").rglob("*.py") if "migrations" not in path.parts]
    assert {path.name: n for path in sources if (n := len(path.read_text().splitlines())) > 400} == {}
