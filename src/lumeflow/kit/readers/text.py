"""From the bytes of a file to its text, a piece at a time."""

import codecs
import re
from collections.abc import Iterator

from lumeflow.kit.readers.encodings import SAMPLE_BYTES, detect, detect_unicode
from lumeflow.kit.readers.inflate import Inflate
from lumeflow.kit.readers.rows import Parser, Row
from lumeflow.plugin import did_you_mean

MARKED = re.compile("[\0\udc00-\udcff]")
"""What no text of a record may hold: NUL, and a byte that its encoding has no character for (U+DC00 and the byte)."""

ENCODINGS = (
    *("utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii", "latin-1", "mac-roman", "koi8-r", "koi8-u"),
    *(f"cp{number}" for number in (437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259))),
    *(f"iso8859-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *("shift_jis", "euc-jp", "iso2022_jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr"),
)
"""Encodings that a user may name, in Python's spelling; its other spellings of them are known, too."""

_SUPERSETS = {"shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949"}
"""What files are really in whose encoding is called by the old standard's name."""

_MARK_BYTES = "lumeflow-mark-bytes"
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_CONTEXT_BYTES = 64
"""Kept before a byte that is not ASCII, so that the word in which it stands is whole, wherever pieces are cut."""

_TEXT_CHARS = 1 << 20


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_MARK_BYTES, _mark_bytes)


def known_encoding(name: str) -> str:
    """The encoding that a user calls `name`.

    Raises:
        ValueError: There is none; the message names the nearest.
    """
    known = {codecs.lookup(known).name for known in ENCODINGS}
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        found = ""
    found = "utf-8" if found == "utf-8-sig" else found
    if found not in known:
        raise ValueError(f"'{name}' is not an encoding that can be read.{did_you_mean(name, ENCODINGS)}")
    return _SUPERSETS.get(found, found)


def bad_text(text: str, encoding: str) -> str | None:
    """Why a text cannot be part of a record; None if it can."""
    match = MARKED.search(text)
    if match is None:
        return None
    if match[0] == "\0":
        return "it holds a NUL character"
    return f"byte 0x{ord(match[0]) - 0xDC00:02X} is no character in {encoding}"


class TextDecoder:
    """Decodes a text whose encoding is given, or found out: at its beginning, or where it stops to be ASCII.

    A byte without meaning becomes U+DC00 plus its value, so that only the row in which it stands is spoilt.

    Args:
        encoding: The encoding; None to find it out.

    Attributes:
        encoding: The encoding; `ascii` as long as nothing else has come.
        guessed: True if it was chosen for being the most plausible.
    """

    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding or "ascii"
        self.guessed = False
        self._decoder = _decoder(encoding) if encoding else None
        self._pending = b""
        self._looked = encoding is not None
        self._begun = False

    def feed(self, data: bytes) -> str:
        """Decode the next bytes, as far as it can be told what they are."""
        return self._without_bom(self._decode(data, final=False))

    def finish(self) -> str:
        """Decode what is left."""
        return self._without_bom(self._decode(b"", final=True))

    def _decode(self, data: bytes, *, final: bool) -> str:
        if self._decoder is not None:
            return self._decoder.decode(data, final)
        self._pending += data
        if len(self._pending) < SAMPLE_BYTES and not final:
            return ""
        if not self._looked:
            self._looked = True
            self._set(detect_unicode(self._pending[:SAMPLE_BYTES]))
        return self._ascii(final=final) if self._decoder is None else self._rest(final=final)

    def _ascii(self, *, final: bool) -> str:
        """What precedes the first byte that is not ASCII; from there on, what the encoding turns out to be."""
        match = _NON_ASCII.search(self._pending)
        start = max(0, (match.start() if match else len(self._pending)) - _CONTEXT_BYTES)
        start = len(self._pending) if final and not match else start
        text, self._pending = self._pending[:start].decode("ascii"), self._pending[start:]
        if not match or (len(self._pending) < SAMPLE_BYTES and not final):
            return text
        encoding, self.guessed = detect(self._pending[:SAMPLE_BYTES])
        self._set(encoding)
        return text + self._rest(final=final)

    def _rest(self, *, final: bool) -> str:
        assert self._decoder is not None
        pending, self._pending = self._pending, b""
        return self._decoder.decode(pending, final)

    def _set(self, encoding: str | None) -> None:
        if encoding is not None:
            self.encoding, self._decoder = encoding, _decoder(encoding)

    def _without_bom(self, text: str) -> str:
        if text and not self._begun:
            self._begun = True
            return text.removeprefix("\ufeff")
        return text


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)(_MARK_BYTES)


class TextReader:
    """Reads a file of text, packed by gzip or not, with a parser of its layout (see `rows.Reader`)."""

    def __init__(self, decoder: TextDecoder, parser: Parser, *, packed: bool) -> None:
        self.notes = parser.notes
        self._decoder = decoder
        self._parser = parser
        self._inflate = Inflate() if packed else None
        self._told = False

    def feed(self, data: bytes) -> Iterator[list[Row]]:
        """Take the next piece of the file."""
        for piece in self._inflate.feed(data) if self._inflate else (data,):
            yield from self._parse(self._decoder.feed(piece))

    def finish(self) -> Iterator[list[Row]]:
        """There are no more pieces."""
        yield from self._parse(self._decoder.finish())
        if self._inflate is not None:
            self._inflate.finish()
        yield from self._parser.finish()

    def close(self) -> None:
        """It holds nothing but memory."""

    def _parse(self, text: str) -> Iterator[list[Row]]:
        if self._decoder.guessed and not self._told:
            self._told = True
            self.notes.append(
                f"it is not UTF-8; read as {self._decoder.encoding}, which suits it best: name its 'encoding' in the "
                "config if letters with accents come out wrong"
            )
        for start in range(0, len(text), _TEXT_CHARS):
            yield from self._parser.feed(text[start : start + _TEXT_CHARS])
