"""The package as Python's own parser sees it: what it imports, calls and says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import latchkey

PACKAGE = Path(latchkey.__file__).resolve().parent
SOURCE_FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def walk_nodes() -> Iterator[tuple[str, ast.AST]]:
    """Return every node of every source, with the file that it is in."""
    for name, path in SOURCE_FILES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            yield name, node


def imported_names() -> set[str]:
    """Return every module that is imported, and every name that is imported from one, dotted."""
    found: set[str] = set()
    for _, node in walk_nodes():
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def find_calls(*names: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of functions and methods with one of these names, with the file that each is in."""
    found = []
    for file, node in walk_nodes():
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                found.append((file, node))
    return found
