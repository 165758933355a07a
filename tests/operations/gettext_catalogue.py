"""Writes a compiled gettext catalogue, a .mo file (GNU gettext manual, section 10.3)."""

import struct
from collections.abc import Mapping
from itertools import accumulate
from pathlib import Path


def write_catalogue(path: Path, sentences: Mapping[str, str]) -> None:
    """Write a .mo file: a header, the table of offsets, and the sentences with their translations."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **sentences}.items())
    columns = [[text.encode() for text in column] for column in zip(*pairs, strict=True)]
    texts = [text for column in columns for text in column]
    head, table = 28, 8 * len(texts)
    begins = accumulate((len(text) + 1 for text in texts[:-1]), initial=head + table)
    where = b"".join(struct.pack("<2I", len(text), begin) for text, begin in zip(texts, begins, strict=True))
    path.parent.mkdir(parents=True)
    path.write_bytes(
        struct.pack("<7I", 0x950412DE, 0, len(pairs), head, head + table // 2, 0, 0) + where + b"\0".join([*texts, b""])
    )
