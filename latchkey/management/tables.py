"""Tables that commands print: times, and columns that line up."""

from datetime import datetime


def format_time(at: datetime | None) -> str | None:
    """Return a time in UTC (RFC 3339), or None."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def format_table(lines: list[list[str]]) -> str:
    """Return a table with left-aligned columns; None is a dash, a boolean is yes or no."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    words = {"None": "-", "True": "yes", "False": "no"}
    padded = [[words.get(cell, cell).ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in padded)
