"""Which kind of file it is, by its beginning and its name."""

import re
from enum import StrEnum

import orjson

from lumeflow.kit.readers.inflate import GZIP_MAGIC
from lumeflow.kit.readers.rows import FileRefused


class Layout(StrEnum):
    """How rows lie in a file."""

    CSV = "csv"
    TSV = "tsv"
    JSON = "json"
    JSONL = "jsonl"
    PARQUET = "parquet"


PARQUET_MAGIC = b"PAR1"

_SUFFIXES = {
    "csv": Layout.CSV,
    "tsv": Layout.TSV,
    "tab": Layout.TSV,
    "json": Layout.JSON,
    "jsonl": Layout.JSONL,
    "ndjson": Layout.JSONL,
    "parquet": Layout.PARQUET,
    "pq": Layout.PARQUET,
}

_FOREIGN = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive: save its sheet as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook: save its sheet as CSV"),
    (b"%PDF-", "a PDF: export its table as CSV"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd: unpack it, or pack it with gzip"),
    (b"BZh", "packed by bzip2: unpack it, or pack it with gzip"),
    (b"\xfd7zXZ\0", "packed by xz: unpack it, or pack it with gzip"),
    (b"SQLite format 3\0", "an SQLite database: export its table as CSV"),
    (GZIP_MAGIC, "packed by gzip twice: unpack it once"),
)
"""What people upload for a file of rows: how it begins, what it is and what to do."""

_HTML = re.compile(r"\s*<(!doctype html|html|head|table|\?xml)\b", re.IGNORECASE)


def refuse_foreign(head: bytes) -> None:
    """Make sure that a file, unpacked, is not one of those that hold no rows that could be read.

    Raises:
        FileRefused: It is.
    """
    for magic, what in _FOREIGN:
        if head.startswith(magic):
            raise FileRefused(f"it is {what}")


def layout_by_name(name: str) -> Layout | None:
    """What the ending of a file's name says; `.gz` is looked through."""
    return _SUFFIXES.get(name.lower().removesuffix(".gz").rpartition(".")[2])


def layout_of(text: str, name: str) -> Layout:
    """The layout of a file of text.

    Args:
        text: Its beginning.
        name: Its name, which is believed where the beginning does not contradict it.

    Raises:
        FileRefused: It is a web page.
    """
    named = layout_by_name(name)
    if _HTML.match(text):
        raise FileRefused("it is a web page (HTML) or XML: export the table as CSV")
    if named not in (None, Layout.JSON, Layout.PARQUET):
        return named or Layout.CSV
    if named is Layout.JSON or text.lstrip()[:1] in ("{", "["):
        return Layout.JSONL if _looks_like_lines(text) else Layout.JSON
    return Layout.CSV


def _looks_like_lines(text: str) -> bool:
    """True if the first line is an object of its own and more follows."""
    first, _, rest = text.partition("\n")
    if not rest.strip():
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except ValueError:
        return False
