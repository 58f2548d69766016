"""From the beginning of a file to the reader that suits it."""

from collections.abc import Callable
from dataclasses import dataclass

from lumeflow.kit.readers.csv_rows import NO_RULES, CsvRows, HeaderRules
from lumeflow.kit.readers.dialect import Dialect, find_dialect
from lumeflow.kit.readers.inflate import GZIP_MAGIC, Inflate
from lumeflow.kit.readers.json_lines import JsonLines
from lumeflow.kit.readers.json_rows import JsonRows, JsonSurvey
from lumeflow.kit.readers.layout import PARQUET_MAGIC, Layout, layout_by_name, layout_of, refuse_foreign
from lumeflow.kit.readers.parquet_rows import ParquetRows
from lumeflow.kit.readers.rows import FileRefused, Parser, Reader
from lumeflow.kit.readers.text import TextDecoder, TextReader

HEAD_BYTES = 1 << 18
"""Of a file, looked at before it is read."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is known of a file, besides its name.

    Attributes:
        layout: How its rows lie in it; None to find out.
        encoding: Its encoding, as `known_encoding` gives it; None to find out.
        delimiter: What stands between cells; None to find out.
        quote: See `Dialect`.
        escape: See `Dialect`.
        skip_lines: See `Dialect`.
        header: What is known of its columns.
    """

    layout: Layout | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = '"'
    escape: str | None = None
    skip_lines: int = 0
    header: HeaderRules = NO_RULES


@dataclass(frozen=True, slots=True)
class FilePlan:
    """How a file is read.

    Attributes:
        layout: How its rows lie in it.
        packed: True if it is packed by gzip.
        options: What is known of it.
        dialect: How its cells are set apart; None if it has none.
    """

    layout: Layout
    packed: bool
    options: ReadOptions
    dialect: Dialect | None = None

    def survey(self, wanted: str | None, *, whole: bool = False) -> tuple[Reader, JsonSurvey]:
        """A reader that goes through a JSON file for all but its rows, and what it finds; see `JsonSurvey`."""
        decoder = TextDecoder(self.options.encoding)
        survey = JsonSurvey(lambda: decoder.encoding, wanted, whole=whole)
        return TextReader(decoder, survey, packed=self.packed), survey

    def reader(self, place: int | None = None) -> Reader:
        """A reader of the rows.

        Args:
            place: For a JSON object, the ordinal of the property that holds the rows.
        """
        if self.layout is Layout.PARQUET:
            return ParquetRows(packed=self.packed)
        decoder = TextDecoder(self.options.encoding)
        return TextReader(decoder, self._parser(lambda: decoder.encoding, place), packed=self.packed)

    def _parser(self, encoding: Callable[[], str], place: int | None) -> Parser:
        if self.dialect is not None:
            return CsvRows(self.dialect, self.options.header, encoding)
        return JsonLines(encoding) if self.layout is Layout.JSONL else JsonRows(encoding, place)


def plan_reading(head: bytes, name: str, options: ReadOptions) -> FilePlan:
    """Find out how to read a file.

    Args:
        head: Its first `HEAD_BYTES`, or all of it.
        name: Its name.
        options: What is known of it.

    Raises:
        FileRefused: It is no file of rows.
    """
    packed = head.startswith(GZIP_MAGIC)
    head = _unpacked(head) if packed else head
    refuse_foreign(head)
    if head.startswith(PARQUET_MAGIC) or Layout.PARQUET in (options.layout, options.layout or layout_by_name(name)):
        return _parquet(head, packed, options)
    text = _text(head, options.encoding)
    layout = options.layout or layout_of(text, name)
    if layout not in (Layout.CSV, Layout.TSV):
        return FilePlan(layout, packed, options)
    delimiter = options.delimiter or ("\t" if layout is Layout.TSV and "\t" in text else None)
    dialect = find_dialect(
        text, delimiter=delimiter, quote=options.quote, escape=options.escape, skip_lines=options.skip_lines
    )
    return FilePlan(layout, packed, options, dialect)


def _parquet(head: bytes, packed: bool, options: ReadOptions) -> FilePlan:
    if not head.startswith(PARQUET_MAGIC):
        raise FileRefused("it is not Parquet: it does not begin with 'PAR1'")
    if options.layout not in (None, Layout.PARQUET):
        raise FileRefused(f"it is Parquet, not {options.layout}: correct 'format' in the config, or leave it out")
    return FilePlan(Layout.PARQUET, packed, options)


def _unpacked(head: bytes) -> bytes:
    inflate = Inflate()
    return next(inflate.feed(head), b"")[:HEAD_BYTES]


def _text(head: bytes, encoding: str | None) -> str:
    decoder = TextDecoder(encoding)
    return decoder.feed(head[:HEAD_BYTES]) + decoder.finish()
