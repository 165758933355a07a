"""docs/api.md, the API reference, has every endpoint of docs/openapi.yaml, with its fields and its errors."""

import re
from typing import Any

import pytest
import yaml

from tools.api_reference import PAGE, SOURCE, json_text, reference, slug

DOCUMENT: dict[str, Any] = yaml.safe_load(SOURCE.read_text())
OPERATIONS = [
    (f"{method.upper()} {path}", spec)
    for path, methods in DOCUMENT["paths"].items()
    for method, spec in methods.items()
]


@pytest.fixture(scope="module")
def page() -> str:
    return reference(DOCUMENT)


def section(page: str, title: str) -> str:
    """Return the text between this heading and the next."""
    (text,) = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE)
    return str(text)


def codes(text: str) -> set[str]:
    """Return the error codes of the rows of a table."""
    return set(re.findall(r"\| \d{3} \| `(\w+)` \|", text))


@pytest.mark.parametrize(("title", "spec"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_api_reference_has_a_section_for_each_endpoint_with_purpose_fields_and_errors(
    page: str, title: str, spec: Any
) -> None:
    text = section(page, title)
    assert f"**{spec['summary'].rstrip('.')}.**" in text
    assert f"[`{title}`](#{slug(title)})" in page
    for content in spec.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]  # empty for any JSON object
        properties = DOCUMENT["components"]["schemas"][name]["properties"] if name else {}
        assert all(f"| `{field}` |" in text for field in properties)
    documented = {
        example["value"].get("code") or example["value"]["error"]
        for status, response in spec["responses"].items()
        if status >= "400"
        for content in response.get("content", {}).values()
        for example in content.get("examples", {}).values()
    }
    assert codes(text) <= documented <= codes(text) | codes(section(page, "Common errors"))


def test_api_reference_in_the_repository_is_up_to_date(page: str) -> None:
    assert PAGE.read_text() == page, "run 'make openapi'"


def test_api_reference_wraps_long_json_examples_and_keeps_them_valid() -> None:
    value = {"list": [{"name": "x" * 50, "text": "y" * 50}] * 3, "token": "eyJhbGciOiJub25lIn0.e30.c2ln", "n": None}
    text = json_text(value)
    assert max(map(len, text.splitlines())) <= 120
    assert yaml.safe_load(text) == value | {"token": "eyJ..."}
