"""Undoing gzip a piece at a time, so that a small file that unpacks to a huge one cannot fill the memory."""

import zlib
from collections.abc import Iterator

from lumeflow.kit.readers.rows import FileRefused

GZIP_MAGIC = b"\x1f\x8b"
PIECE_BYTES = 1 << 20
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Inflate:
    """Unpacks a file of one or several gzip members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WINDOW)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Unpack the next bytes, into pieces of at most `PIECE_BYTES`.

        Raises:
            FileRefused: They are damaged.
        """
        pending = False
        while data or pending:
            if self._member.eof:
                data = data.lstrip(b"\0")  # padding that some tools put behind a member
                self._member = zlib.decompressobj(_GZIP_WINDOW)
                self._begun = pending = False
                continue
            self._begun = True
            try:
                piece = self._member.decompress(data, PIECE_BYTES)
            except zlib.error as error:
                raise FileRefused(f"the gzip data are damaged ({error}): pack or send the file again") from None
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            pending = len(piece) == PIECE_BYTES  # zlib may hold back more than it returned
            if piece:
                yield piece

    def finish(self) -> None:
        """Make sure that the last member is whole.

        Raises:
            FileRefused: The file breaks off.
        """
        if self._begun and not self._member.eof:
            raise FileRefused("the gzip data break off before their end: pack or send the file again")
