"""The table of advisories in docs/security.md: each has a test with its number in the name."""

import ast
import re
from pathlib import Path

from tests.support.security_notes import first_column_code_spans

TESTS = Path(__file__).resolve().parents[1]


def names_of_tests() -> list[str]:
    """Return the names of all test functions."""
    trees = [ast.parse(file.read_text()) for file in TESTS.rglob("test_*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [node.name for node in nodes if node.name.startswith("test_")]


def test_each_advisory_of_the_security_page_has_a_test_with_its_number() -> None:
    advisories = first_column_code_spans("Advisories of other systems")
    assert len(advisories) == len(set(advisories)) > 20
    names = "\n".join(names_of_tests())
    missing = [one for one in advisories if re.sub(r"\W+", "_", one.lower()) not in names]
    assert missing == []
