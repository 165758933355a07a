"""The documents say what the code does: nothing in one that is not in the other."""

import re
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from latchkey.conf.policy import Policy
from latchkey.core.exceptions import ApiError
from latchkey.web.openapi.operation import ALL_ERRORS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def rows(page: str) -> dict[str, list[str]]:
    """Return the table rows of a page whose first cell is code, by that cell."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row for row in cells}


@pytest.mark.parametrize("refusal", ALL_ERRORS, ids=lambda refusal: refusal.code)
def test_every_error_code_is_documented_with_its_status(refusal: type[ApiError]) -> None:
    assert rows("errors.md")[refusal.code][1] == str(refusal.status)


def test_no_error_code_is_documented_that_does_not_exist() -> None:
    assert set(rows("errors.md")) == {refusal.code for refusal in ALL_ERRORS}


@pytest.mark.parametrize("knob", fields(Policy), ids=lambda knob: knob.name)
def test_every_knob_is_documented_with_its_default_and_range(knob: Field[Any]) -> None:
    name, metadata = knob.name, knob.metadata
    _, default, span, _ = rows("settings.md")[name.upper()]
    assert default == str(getattr(Policy(), name))
    choices = metadata.get("choices")
    assert span == (
        f"{', '.join(choices[:-1])} or {choices[-1]}" if choices else "{minimum} to {maximum}".format(**metadata)
    )


def test_the_environment_is_documented_whole() -> None:
    read = set(re.findall(r'env\.\w+\("(\w+)"', (ROOT / "latchkey/settings.py").read_text()))
    documented = {name for name in rows("settings.md") if re.fullmatch(r"(LATCHKEY|OTEL)_\w+|\w+_URL", name)}
    assert read == documented


def test_nothing_but_the_settings_reads_the_environment() -> None:
    readers = {
        path.name
        for path in (ROOT / "latchkey").rglob("*.py")
        if re.search(r"os\.environb?\b(?!\.setdefault)|getenvb?|from os import", path.read_text())
    }
    assert readers == {"settings.py"}


def test_every_route_is_documented() -> None:
    documented = set(rows("architecture.md"))
    for route in get_resolver().url_patterns:
        assert isinstance(route, URLPattern | URLResolver)
        path = f"/{route.pattern}"
        assert path in documented or f"{path}/" in documented, path


def test_the_readme_fits_on_three_screens() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("**/*.md"))], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_no_file_of_the_package_is_over_400_lines() -> None:
    sources = [path for path in (ROOT / "latchkey").rglob("*.py") if "migrations" not in path.parts]
    assert {path.name: n for path in sources if (n := len(path.read_text().splitlines())) > 400} == {}
