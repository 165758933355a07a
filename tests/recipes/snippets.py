"""The code blocks of docs/guides, as files: the first line of a block is a comment with the name of its file."""

import re
from collections.abc import Mapping
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```\w+\n(?://|#) (\S+\.\w+)\b.*?\n.*?^```$", re.DOTALL | re.MULTILINE)


def named_blocks(page: str) -> dict[str, str]:
    """Return the code blocks of a page of docs that name their file, by that name."""
    text = (DOCS / page).read_text()
    found = {match[1]: match[0].partition("\n")[2].removesuffix("```") for match in _BLOCK.finditer(text)}
    assert found, f"{page} has no block with a file name"
    return found


def write_files(folder: Path, files: Mapping[str, str], changes: Mapping[str, str] | None = None) -> None:
    """Write files into a folder, with other addresses in place of those of the page."""
    for old in changes or {}:
        assert any(old in text for text in files.values()), f"not in the page: {old}"
    for name, text in files.items():
        changed = text
        for old, new in (changes or {}).items():
            changed = changed.replace(old, new)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed)
