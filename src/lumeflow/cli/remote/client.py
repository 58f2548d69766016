"""Requests to a server: sent again where that is safe, streamed where the answer is large.

Built on aiohttp, which is imported when the first server is opened: it takes a fifth of a second, where opening a
database takes three times as long. The gateway's own client (ADR 11) neither streams nor knows proxies.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

from lumeflow.cli.installed import version
from lumeflow.cli.remote.address import Address
from lumeflow.cli.remote.answers import Answer, error_of, not_lumeflow
from lumeflow.cli.remote.errors import Busy, ConnectionCut, ServerError

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 10.0
SILENT_SECONDS = 90.0
"""Without a byte for so long, an answer is lost."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds before a request is sent again: long enough for a server to be restarted in between."""
MOST_RESTS = 5
"""How often a request is sent again that the server has put off."""
TELLING_SECONDS = 3.0
"""A wait of so many seconds is told."""
LARGEST_ANSWER = 256 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
CHUNK_BYTES = 1 << 16
_LOOPBACK = ("localhost", "127.", "::1")

Notice = Callable[[str], None]
"""Says something to the user."""


class Client:
    """One server's client. Made by `open_client`.

    Args:
        address: The server.
        session: What sends.
        notice: Tells the user why he waits.
    """

    def __init__(self, address: Address, session: "aiohttp.ClientSession", notice: Notice) -> None:
        self.url = address.url
        self.notice = notice
        self._session = session
        self._proxy = _proxy(address.url)
        self._has_answered = False

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request until it is answered; whoever calls sees to it that a second time does no harm.

        One whose connection breaks is sent again for half a minute; one that the server puts off, up to five times. A
        server that cannot be reached, and never could, is not waited for.

        Args:
            method: The HTTP method.
            path: Path behind the server's URL, with each part percent-encoded.
            query: Parameters of the query.
            body: The body; a path is read from its file while it is sent.
            headers: Further headers.

        Raises:
            ServerError: The server cannot be reached, or failed.
            UsageError: It does not do what was asked for.
        """
        # A question to a server that never answered is not worth half a minute; a start may have begun all the same.
        pauses, rests = list(PAUSES if self._has_answered or method != "GET" else PAUSES[:2]), MOST_RESTS
        while True:
            try:
                answer = await self._once(method, path, query, body, headers)
                if answer.status < 300:
                    return answer
                raise error_of(answer)
            except ConnectionCut as error:
                if not pauses or not (error.was_sent or self._has_answered):
                    raise
                await self._rest(pauses.pop(0), error)
            except Busy as error:
                if not rests:
                    raise
                rests -= 1
                await self._rest(error.seconds, error)

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silent: float = SILENT_SECONDS,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read an answer piece by piece; nothing is tried again. Without a byte for `silent` seconds it is lost.

        Raises:
            ServerError: The server cannot be reached, failed, or the answer was cut off.
            UsageError: It does not do what was asked for.
        """
        with self._errors():
            async with self._request("GET", path, query, None, headers, silent) as response:
                self._has_answered = True
                if response.status >= 300:
                    raise error_of(await self._whole(response))
                yield _pieces(response)

    async def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes | Path | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        with self._errors():
            if isinstance(body, Path):
                file = await asyncio.to_thread(body.open, "rb")
                with file:
                    async with self._request(method, path, query, file, headers, SILENT_SECONDS) as response:
                        return await self._whole(response)
            async with self._request(method, path, query, body, headers, SILENT_SECONDS) as response:
                return await self._whole(response)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Any,
        headers: Mapping[str, str] | None,
        silent: float,
    ) -> "aiohttp.client._RequestContextManager":
        import aiohttp
        from yarl import URL

        parameters = f"?{urlencode(query)}" if query else ""
        return self._session.request(
            method,
            URL(f"{self.url}{path}{parameters}", encoded=True),
            data=body,
            headers=headers,
            allow_redirects=False,
            proxy=self._proxy,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silent),
        )

    async def _whole(self, response: "aiohttp.ClientResponse") -> Answer:
        pieces: list[bytes] = []
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise ServerError(not_lumeflow(self.url, "answers without end"))
            pieces.append(piece)
        self._has_answered = True
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, b"".join(pieces), self.url)

    async def _rest(self, seconds: float, error: ServerError) -> None:
        if seconds >= TELLING_SECONDS:
            self.notice(f"{error}; trying again in {seconds:.0f} s")
        await asyncio.sleep(seconds)

    def _errors(self) -> "_Errors":
        return _Errors(self.url)


class _Errors:
    """Within it, errors of aiohttp become ours."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        import aiohttp

        if isinstance(error, aiohttp.ClientError | TimeoutError):
            raise _told(self._url, error) from error


@asynccontextmanager
async def open_client(address: Address, notice: Notice) -> AsyncIterator[Client]:
    """Open a client, and close its connections at the end."""
    import aiohttp

    headers = {
        "X-API-Key": address.key,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": f"lumeflow/{version()}",
    }
    async with aiohttp.ClientSession(
        headers=headers, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=CHUNK_BYTES, auto_decompress=False
    ) as session:
        yield Client(address, session, notice)


async def _pieces(response: "aiohttp.ClientResponse") -> AsyncIterator[bytes]:
    async for piece in response.content.iter_any():
        yield piece


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for an address (`HTTPS_PROXY`, `NO_PROXY`); never for this machine's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.startswith(_LOOPBACK) or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _told(url: str, error: Exception) -> ServerError:
    """An error of aiohttp as one of ours; its own text may quote more than is to be seen."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ServerError(_certificate(url, error.certificate_error))
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return ServerError(f"{url} does not speak TLS as it should: is its URL one with 'http://'?")
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return ConnectionCut(f"cannot reach {url}: {_unreached(error)}", was_sent=False)
    if isinstance(error, TimeoutError):
        return ConnectionCut(f"{url} did not answer in time", was_sent=True)
    if isinstance(error, aiohttp.InvalidURL):
        return ServerError(f"{url} is not the URL of a server")
    if isinstance(error, aiohttp.ClientResponseError):
        return ServerError(not_lumeflow(url, "does not answer in HTTP as it should"))
    return ConnectionCut(f"the connection to {url} broke before the answer was complete", was_sent=True)


def _unreached(error: Exception) -> str:
    """Why there is no connection."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "there is no host of this name"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "the proxy that the environment names does not help"
    if not isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(error.os_error, ConnectionRefusedError):
        return "connection refused; is 'lumeflow serve' running there?"
    return error.os_error.strerror or "no connection"


def _certificate(url: str, error: Exception) -> str:
    reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "it is not right"
    return (
        f"the certificate of {url} cannot be trusted: {reason}. For an authority of your own, "
        "name the file of its certificate in SSL_CERT_FILE"
    )
