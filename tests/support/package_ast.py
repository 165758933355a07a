"""The source of the package, parsed by ast: its imports and calls."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import latchkey

PACKAGE = Path(latchkey.__file__).resolve().parent
SOURCE_FILES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def parsed_files() -> dict[str, ast.Module]:
    """Return the syntax tree of every source file by its path."""
    return {name: ast.parse(path.read_text()) for name, path in SOURCE_FILES.items()}


def walk_nodes() -> Iterator[tuple[str, ast.AST]]:
    """Yield every node of every source file with the path of the file."""
    for name, tree in parsed_files().items():
        for node in ast.walk(tree):
            yield name, node


def imported_names() -> set[str]:
    """Return every imported module, and every name imported from one, dotted."""
    found: set[str] = set()
    for _, node in walk_nodes():
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def environment_variables() -> set[str]:
    """Return the names of all environment variables that the settings read: the first argument of the readers."""
    calls = [node for node in ast.walk(parsed_files()["settings.py"]) if isinstance(node, ast.Call) and node.args]
    readers = [
        call for call in calls if isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", None) == "env"
    ]
    return {str(call.args[0].value) for call in readers if isinstance(call.args[0], ast.Constant)}


def find_calls(*names: str) -> list[tuple[str, ast.Call]]:
    """Return the calls of functions and methods with one of these names, each with the path of its file."""
    found = []
    for file, node in walk_nodes():
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                found.append((file, node))
    return found
