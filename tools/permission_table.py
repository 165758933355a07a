"""Write the table of permissions in docs/authorization.md, out of `x-latchkey-access` in docs/openapi.yaml.

With --check it fails if the page has another table. The tests send every kind of proof to every endpoint.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE, PAGE = ROOT / "docs" / "openapi.yaml", ROOT / "docs" / "authorization.md"
BEGIN, END = "<!-- table of permissions: make openapi -->\n", "<!-- end of the table of permissions -->\n"
COLUMNS = {
    "anybody": "anybody",
    "person": "person",
    "person_key": "API key of a person",
    "application": "application",
    "application_key": "API key of an application",
    "client": "client credential",
}
"""Callers in the document, and the headings of their columns."""


def table(document: dict[str, Any]) -> str:
    """Return the table: a row for each endpoint, a column for each kind of proof."""
    lines = [("endpoint", *COLUMNS.values(), "needs besides"), ("---",) * (len(COLUMNS) + 2)]
    for path, methods in document["paths"].items():
        for method, spec in methods.items():
            access = spec["x-latchkey-access"]
            cells = ["yes" if caller in access["callers"] else "" for caller in COLUMNS]
            lines.append((f"`{method.upper()} {path}`", *cells, needs(access)))
    return "".join(f"| {' | '.join(line)} |\n".replace("  ", " ") for line in lines)


def needs(access: dict[str, Any]) -> str:
    """Return what a caller needs besides a proof of its kind."""
    scope = [f"`{access['scope']}`"] if "scope" in access else []
    step_up = ["a person: step-up"] if access.get("step_up") else []
    origin = ["an allowed `Origin`"] if access.get("origin") else []
    return "; ".join([*scope, *step_up, *origin])


def page_with_table(text: str, document: dict[str, Any]) -> str:
    """Return the page with the table between its two comments."""
    return re.sub(rf"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: table(document), text, flags=re.DOTALL)


def main() -> None:
    text = PAGE.read_text()
    written = page_with_table(text, yaml.safe_load(SOURCE.read_text()))
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(written)
    elif written != text:
        sys.exit("docs/authorization.md is stale: run 'make openapi'.")


if __name__ == "__main__":
    main()
