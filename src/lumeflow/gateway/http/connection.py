"""One connection to a server: one request after the other, each with its answer."""

import asyncio
from typing import cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from lumeflow.core.http import HttpResponse
from lumeflow.gateway.http.unpacking import ENCODINGS, Body, PackedBody, PlainBody

_OMITTED = frozenset({"set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection"})
"""Headers that nobody is to see: cookies are secrets, and the body's framing is gone when it is handed out."""
_MOST_HEADERS = 1 << 18
"""Bytes of an answer's headers."""


class NotHttp(Exception):
    """What came is no answer in HTTP/1.1; the message says why, and quotes nothing."""


class Connection(asyncio.Protocol):
    """The receiving side is driven by llhttp, which calls the methods that begin with `on_`.

    Attributes:
        is_reusable: True if another request may be sent: the last answer was complete, and neither side wants to close.
    """

    _body: Body

    def __init__(self) -> None:
        self.is_reusable = False
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._answer: asyncio.Future[HttpResponse] | None = None
        self._most = 0
        self._is_head = False
        self._begin_answer()

    def exchange(self, head: bytes, body: bytes, *, is_head: bool, most: int) -> "asyncio.Future[HttpResponse]":
        """Write a request; the future gets the answer, or what went wrong: an `OSError`, `NotHttp` or `TooLarge`.

        Args:
            head: Request line and headers.
            body: The body.
            is_head: True for the method HEAD, whose answers have no body whatever their headers say.
            most: Bytes of the answer's body that are allowed, unpacked.
        """
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._most = most
        self._is_head = is_head
        self.is_reusable = False
        self._transport.write(head + body if len(body) < 1 << 16 else head)
        if len(body) >= 1 << 16:
            self._transport.write(body)
        return self._answer

    def close(self) -> None:
        """Close at once; an answer that is still awaited is lost."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_closed(self) -> bool:
        """True if nothing more can be sent."""
        return self._transport is None or self._transport.is_closing()

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked: it must not be taken for the answer to the next request
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._fail(NotHttp("the server wants to speak another protocol"))
        except HttpParserError as error:
            # llhttp wraps whatever our own methods raise.
            self._fail(error.__context__ if isinstance(error.__context__, Exception) else NotHttp("it is no HTTP"))

    def eof_received(self) -> bool:
        """The server sends nothing more; an answer without a length ends here."""
        if self._until_close and self._answer is not None and not self._answer.done():
            self._complete()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        self.is_reusable = False
        if error is None and self._until_close and self._answer is not None and not self._answer.done():
            self._complete()
        self._fail(error or ConnectionResetError(None, "the server closed the connection"))
        self._transport = None

    # Called by llhttp.

    def on_message_begin(self) -> None:
        """An answer begins."""
        if self._answer is None or self._answer.done():
            raise NotHttp("the server answers what was not asked")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has arrived."""
        self._header_size += len(name) + len(value)
        if self._header_size > _MOST_HEADERS:
            raise NotHttp("its headers are too large")
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        if key == "content-encoding":
            self._encoding = text.strip().lower()
        elif key in {"content-length", "transfer-encoding"}:
            self._has_length = True
        if key not in _OMITTED:
            self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """All headers are here."""
        if self._encoding in ENCODINGS:
            self._body = PackedBody(self._most, self._encoding)
        elif self._encoding not in {"", "identity"}:
            raise NotHttp("its body is packed in a way that was not asked for")
        else:
            self._body = PlainBody(self._most)
        status = self._parser.get_status_code()
        self._until_close = not self._has_length and status >= 200 and status not in {204, 304}
        if self._is_head and status >= 200:
            self._complete()  # the connection ends with it, as llhttp does not know that there will be no body

    def on_body(self, data: bytes) -> None:
        """Some of the body has arrived."""
        if not self._is_head:
            self._body.feed(data)

    def on_message_complete(self) -> None:
        """The answer is complete; those below 200 only announce it."""
        if self._parser.get_status_code() < 200:
            self._begin_answer()
        elif self._answer is not None and not self._answer.done():
            self.is_reusable = self._parser.should_keep_alive() and not self.is_closed
            self._complete()

    def _begin_answer(self) -> None:
        self._headers: dict[str, str] = {}
        self._header_size = 0
        self._encoding = ""
        self._has_length = False
        self._until_close = False
        self._body = PlainBody(self._most)

    def _complete(self) -> None:
        answer = self._answer
        assert answer is not None
        try:
            body = b"" if self._is_head else self._body.whole()
        except ValueError as error:
            self._fail(NotHttp(str(error)))
            return
        answer.set_result(HttpResponse(self._parser.get_status_code(), self._headers, body))
        self._begin_answer()

    def _fail(self, error: BaseException) -> None:
        self.is_reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NotHttp(str(error)) if isinstance(error, ValueError) else error)
        if self._transport is not None:
            self._transport.abort()
