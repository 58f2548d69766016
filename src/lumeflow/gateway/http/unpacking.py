"""Unpacking an answer that comes compressed, never into more than is allowed."""

import zlib
from typing import Protocol

ENCODINGS = frozenset({"gzip", "x-gzip", "deflate"})
"""What is asked for, and understood."""
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_RAW = -zlib.MAX_WBITS
_PIECE = 1 << 16


class TooLarge(Exception):
    """More bytes came than are allowed."""


class Body(Protocol):
    """Gathers the body of an answer."""

    def feed(self, data: bytes) -> None:
        """Take some of it.

        Raises:
            TooLarge: More came than is allowed.
            ValueError: It is not what its encoding says.
        """
        ...

    def whole(self) -> bytes:
        """All of it.

        Raises:
            ValueError: It is cut off.
        """
        ...


class PlainBody:
    """A body that comes as it is.

    Args:
        most: Bytes that are allowed.
    """

    __slots__ = ("_most", "_pieces", "_size")

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take some of it."""
        self._size += len(data)
        if self._size > self._most:
            raise TooLarge
        self._pieces.append(data)

    def whole(self) -> bytes:
        """All of it."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class PackedBody:
    """A body in gzip or deflate; the latter with or without zlib's header, as servers disagree about it.

    Args:
        most: Bytes that are allowed, unpacked.
    """

    __slots__ = ("_inflater", "_plain", "_raw")

    def __init__(self, most: int, encoding: str) -> None:
        self._plain = PlainBody(most)
        self._raw = encoding == "deflate"
        self._inflater: zlib._Decompress | None = None

    def feed(self, data: bytes) -> None:
        """Take some of it."""
        while data:
            inflater = self._inflater or self._begin(data)
            try:
                piece = inflater.decompress(data, _PIECE)
            except zlib.error:
                raise ValueError("its body is not compressed as its headers say") from None
            self._plain.feed(piece)
            data = inflater.unconsumed_tail
            if inflater.eof:  # gzip may consist of several parts
                data, self._inflater = inflater.unused_data, None
                self._raw = False

    def whole(self) -> bytes:
        """All of it."""
        if self._inflater is not None and not self._inflater.eof:
            raise ValueError("its compressed body is cut off")
        return self._plain.whole()

    def _begin(self, data: bytes) -> "zlib._Decompress":
        has_header = not self._raw or data[0] & 0x0F == zlib.DEFLATED
        self._inflater = zlib.decompressobj(_GZIP_OR_ZLIB if has_header else _RAW)
        return self._inflater
