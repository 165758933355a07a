"""The tables of docs/security.md."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"


def read_table(heading: str, which: int = 0) -> list[list[str]]:
    """Return the rows of a table under a heading, without its header row."""
    _, _, section = PAGE.read_text().partition(f"\n## {heading}\n")
    tables = re.findall(r"(?:^\|.*\n)+", section.partition("\n## ")[0], re.MULTILINE)
    rows = [line.strip("|").split("|") for line in tables[which].splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def code_spans(cell: str) -> list[str]:
    """Return the texts in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def first_column_code_spans(heading: str, which: int = 0) -> list[str]:
    """Return the texts in backquotes in the first column of a table."""
    return [code for row in read_table(heading, which) for code in code_spans(row[0])]
