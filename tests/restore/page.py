"""The commands and settings of docs/point-in-time-recovery.md, which the drills run as they are written there."""

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "point-in-time-recovery.md"


def page_line(beginning: str) -> str:
    """Return the first line of the page that begins with this text."""
    return next(line for line in PAGE.read_text().splitlines() if line.startswith(beginning))


def page_block(beginning: str) -> str:
    """Return the first code block of the page that begins with this text."""
    blocks = [block.partition("\n")[2] for block in PAGE.read_text().split("```")[1::2]]
    return next(block for block in blocks if block.startswith(beginning))


def replace_values(text: str, values: Mapping[str, str]) -> str:
    """Replace example values by those of a test; each of them has to occur."""
    for example, value in values.items():
        assert example in text, example
        text = text.replace(example, value)
    return text
