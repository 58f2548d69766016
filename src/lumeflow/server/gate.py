"""What every request passes before an endpoint sees it: size, key, rate, and patience with slow clients."""

import asyncio
import logging
from datetime import timedelta
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lumeflow.core.errors import StorageError
from lumeflow.server.caller import Caller, Server
from lumeflow.server.config import MEGABYTE
from lumeflow.server.keys import hash_of, is_key
from lumeflow.server.problems import MEDIA_TYPE, Problem
from lumeflow.server.rates import Buckets
from lumeflow.storage import Database
from lumeflow.storage.repositories.api_keys import ApiKey

_LOG = logging.getLogger("lumeflow.server")

PROTECTED = "/api/"
OPEN = ("/api/schemas/", "/api/webhooks/")
"""Below `/api/`, and yet without a key: schemas are public, deliveries are signed."""
UPLOADS = "/api/uploads"
_NOTED = timedelta(minutes=1)


class Gate:
    """ASGI middleware around the API.

    Args:
        inner: The API.
        server: What all endpoints share.
    """

    def __init__(self, inner: ASGIApp, server: Server) -> None:
        self._inner = inner
        self._server = server
        config = server.config
        self._keys = Buckets(config.rate, config.burst)
        self._strangers = Buckets(config.strangers, config.strangers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        guarded = _Sender(send, self._server.config.send_timeout)
        try:
            limit = self._limit(scope)
            _check_length(scope, limit)
            await self._check_caller(scope)
            body = _Body(receive, limit, self._server.config.body_timeout)
            await self._inner(scope, body, guarded)
        except Problem as problem:
            await answer(problem, scope, guarded)
        except StorageError:
            await answer(unavailable(), scope, guarded)
        except Exception:
            if guarded.has_ended or guarded.has_given_up:
                return  # the error was told, or there is nobody to tell
            _LOG.exception("unexpected error in %s %s", scope["method"], scope["path"])
            if guarded.has_begun:
                raise  # half an answer must not look like a whole one: the connection is cut
            await answer(internal(), scope, guarded)

    def _limit(self, scope: Scope) -> int:
        config = self._server.config
        is_upload = scope["method"] == "POST" and scope["path"] == UPLOADS
        return config.upload_limit if is_upload else config.body_limit

    async def _check_caller(self, scope: Scope) -> None:
        path = scope["path"]
        if not path.startswith(PROTECTED) or scope["method"] == "OPTIONS":
            return
        address = (scope.get("client") or ("",))[0]
        if path.startswith(OPEN):
            _limited(self._strangers.take(address))
            return
        caller = await self._caller(Headers(scope=scope), address)
        _limited(self._keys.take(caller.key.key_hash))
        scope.setdefault("state", {})["caller"] = caller

    async def _caller(self, headers: Headers, address: str) -> Caller:
        """Whose key this is.

        Raises:
            Problem: Nobody's, or one that is no longer good; or too many such came from this address.
        """
        _limited(self._strangers.is_empty(address))
        key = key_in(headers)
        database = self._server.app.database
        found = await database.installation.keys.find(hash_of(key)) if is_key(key) else None
        if found is None or not found.is_valid(self._server.clock.now()):
            self._strangers.take(address)
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "no-valid-key",
                "an API key is needed that is neither revoked nor expired: send 'Authorization: Bearer KEY' or"
                " 'X-API-Key: KEY'; 'lumeflow db key create' makes one",
                headers={"WWW-Authenticate": 'Bearer realm="lumeflow"'},
            )
        if found.is_suspended:
            raise Problem(HTTPStatus.FORBIDDEN, "tenant-suspended", "this tenant is suspended: ask the operator")
        theirs = database.of(found.tenant)
        await self._note_use(found, theirs)
        return Caller(self._server, found, theirs)

    async def _note_use(self, key: ApiKey, theirs: Database) -> None:
        """Write down that a key is in use, about once a minute."""
        now = self._server.clock.now()
        if key.last_used_at is None or now - key.last_used_at > _NOTED:
            await theirs.api_keys.used(key.id, at=now)


def key_in(headers: Headers) -> str:
    """The key that a request brings; empty if none, or two that differ."""
    direct = headers.get("x-api-key", "").strip()
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if direct and bearer and direct != bearer:
        return ""
    return direct or bearer


def internal() -> Problem:
    """A bug: what it is stands in the server's log."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "lumeflow has a bug; the server's log has the details"
    )


def unavailable() -> Problem:
    """The database does not answer; what it said is for the operator."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "storage-unavailable",
        "the database cannot be read or written just now: try again",
        headers={"Retry-After": "5"},
    )


async def answer(problem: Problem, scope: Scope, send: "_Sender") -> None:
    """Send a problem, unless an answer has begun already."""
    if send.has_begun:
        raise problem
    body = problem.body(scope["path"])
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    if problem.status in {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_TIMEOUT}:
        headers["connection"] = "close"
    await send(
        {
            "type": "http.response.start",
            "status": problem.status.value,
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _limited(seconds: int | None) -> None:
    if seconds is not None:
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too-many-requests",
            f"too many requests: wait {seconds} s",
            headers={"Retry-After": str(seconds)},
        )


def _too_large(limit: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "body-too-large",
        f"the body has more than {limit:,} bytes: records belong into an upload, and large ones into several",
    )


def _check_length(scope: Scope, limit: int) -> None:
    given = Headers(scope=scope).get("content-length", "")
    if given.isascii() and given.isdigit() and int(given[:20]) > limit:
        raise _too_large(limit)


class _Body:
    """The body as it comes, up to a limit and within a time."""

    def __init__(self, receive: Receive, limit: int, patience: float) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience
        self._size = 0
        self._spent = 0.0
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()  # only tells that the client is gone
        loop = asyncio.get_running_loop()
        began = loop.time()
        allowed = self._patience * (1 + self._size / MEGABYTE)
        try:
            async with asyncio.timeout(min(self._patience, max(allowed - self._spent, 0.001))):
                message = await self._receive()
        except TimeoutError:
            raise Problem(
                HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", "the body did not arrive in time: send it again, faster"
            ) from None
        self._spent += loop.time() - began
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            raise _too_large(self._limit)
        self._complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message


class _Sender:
    """The answer as it goes; a client that does not take it is let go."""

    def __init__(self, send: Send, patience: float) -> None:
        self._send = send
        self._patience = patience
        self.has_begun = False
        self.has_ended = False
        self.has_given_up = False

    async def __call__(self, message: Message) -> None:
        self.has_begun = True
        try:
            async with asyncio.timeout(self._patience):
                await self._send(message)
            self.has_ended = message["type"] == "http.response.body" and not message.get("more_body", False)
        except TimeoutError:
            self.has_given_up = True
            raise
