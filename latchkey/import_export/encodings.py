"""Encoding and line ends of an import file: whatever spreadsheets write becomes lines of UTF-8 that end in LF.

Spreadsheets write UTF-8 with or without a byte order mark, or UTF-16 ("Unicode text"); the line ends of old Macs are
CR. A file in UTF-8 with LF or CR LF, which is nearly every one, is read as it is.
"""

import codecs
import re
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO, cast

from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

HEAD_BYTES = 64 * 1024
"""Bytes of the beginning that are looked at, and of a chunk that is converted at once."""

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How the files of spreadsheets themselves begin: .xlsx and .ods, and .xls."""

_UTF16_LE, _UTF16_BE = re.compile(rb"[^\0]\0[^\0]\0"), re.compile(rb"\0[^\0]\0[^\0]")
"""Two ASCII characters in UTF-16 without a byte order mark."""

_LINE_END = re.compile(rb"\r*\n|\r")


KEEP_UNDECODABLE = "latchkey_keep_undecodable"
"""Name of an error handler of codecs: `surrogatepass`, and a lone surrogate for four bytes that are no code point."""


def keep_undecodable(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what stands for undecodable bytes, and where to go on: no text, so that their line is reported."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeDecodeError as undecodable:  # UTF-32 beyond U+10FFFF
        return "\udc00", undecodable.end


codecs.register_error(KEEP_UNDECODABLE, keep_undecodable)


def open_lines(file: BinaryIO) -> BinaryIO:
    """Return a file with the same lines in UTF-8, which end in LF or CR LF; the position of `file` is its beginning.

    Raises ImproperlyConfigured for a file that is no text.
    """
    head = file.read(HEAD_BYTES)
    if head.startswith(WORKBOOKS):
        raise ImproperlyConfigured("The file is a workbook of a spreadsheet; save it as CSV.")
    encoding = detect_encoding(head)
    has_cr = _ends_in_cr(head.decode(encoding, "ignore").encode() if encoding else head)
    if encoding is None and not has_cr and file.seekable():
        file.seek(-len(head), 1)
        return file
    chunks = _chunks(head, file)
    chunks = _decoded(chunks, encoding) if encoding else chunks
    if has_cr:
        chunks = (chunk.replace(b"\r", b"\n") for chunk in chunks)
    return cast("BinaryIO", BufferedReader(_ChunkFile(chunks), HEAD_BYTES))


def detect_encoding(head: bytes) -> str | None:
    """Return the encoding of a file that begins with these bytes, None for UTF-8."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    return "utf-16-le" if _UTF16_LE.match(head) else "utf-16-be" if _UTF16_BE.match(head) else None


def _ends_in_cr(head: bytes) -> bool:
    """Tell whether the first line ends in a CR alone. A CR further on is part of a cell, as is an LF in such a file."""
    end = _LINE_END.search(head)
    return end is not None and end[0] == b"\r"


def _chunks(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    yield head
    yield from iter(lambda: file.read(HEAD_BYTES), b"")


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield chunks in UTF-8; what is no text stays none, so that its line is reported and the others are read."""
    decoder = codecs.getincrementaldecoder(encoding)(KEEP_UNDECODABLE)
    for chunk in chunks:
        yield decoder.decode(chunk).encode(errors="surrogatepass")
    yield decoder.decode(b"", final=True).encode(errors="surrogatepass")  # half a character at the end


class _ChunkFile(RawIOBase):
    """A file that reads the chunks of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.rest = chunk
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self.rest))
        target[:size], self.rest = self.rest[:size], self.rest[size:]
        return size
