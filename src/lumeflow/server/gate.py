"""What every request passes before an endpoint sees it: size, key, rate, and patience with slow clients."""

import asyncio
import logging
from datetime import timedelta
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from lumeflow.core.errors import StorageError
from lumeflow.server.caller import Caller, Server
from lumeflow.server.keys import hash_of, is_key
from lumeflow.server.problems import MEDIA_TYPE, Problem
from lumeflow.server.rates import Buckets
from lumeflow.server.room import Room
from lumeflow.server.traffic import Body, Sender, too_large
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
        self._room = Room(config.body_memory)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        guarded = Sender(send, self._server.config.send_timeout)
        body = Body(receive, self._limit(scope), self._server.config.body_timeout)
        try:
            _check_length(scope, body.limit)
            owner = await self._check_caller(scope)
            if not _is_upload(scope):
                body.share(self._room, owner)
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
        finally:
            body.forget()

    def _limit(self, scope: Scope) -> int:
        config = self._server.config
        return config.upload_limit if _is_upload(scope) else config.body_limit

    async def _check_caller(self, scope: Scope) -> str:
        """Who asks, as far as memory is shared: a key, or an address."""
        path = scope["path"]
        address = (scope.get("client") or ("",))[0]
        if not path.startswith(PROTECTED) or scope["method"] == "OPTIONS":
            return address
        if path.startswith(OPEN):
            _limited(self._strangers.take(address))
            return address
        caller = await self._caller(Headers(scope=scope), address)
        _limited(self._keys.take(caller.key.key_hash))
        scope.setdefault("state", {})["caller"] = caller
        return caller.key.key_hash

    async def _caller(self, headers: Headers, address: str) -> Caller:
        """Whose key this is.

        Raises:
            Problem: Nobody's, or one that is no longer good; or too many such came from this address.
        """
        key = key_in(headers)
        key_hash = hash_of(key)
        if not self._keys.knows(key_hash):  # whoever guesses must not shut out others behind the same address
            _limited(self._strangers.is_empty(address))
        database = self._server.app.database
        found = await self._known(key_hash) if is_key(key) else None
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

    async def _known(self, key_hash: str) -> ApiKey | None:
        """What is kept of a key. Asked before all else, this tells whether the database is there.

        Raises:
            StorageError: It does not answer in time.
        """
        try:
            async with asyncio.timeout(self._server.config.storage_timeout):
                return await self._server.app.database.installation.keys.find(key_hash)
        except TimeoutError:
            raise StorageError("the database does not answer") from None

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


async def answer(problem: Problem, scope: Scope, send: Sender) -> None:
    """Send a problem, unless an answer has begun already."""
    if send.has_begun:
        raise problem
    body = problem.body(scope["path"])
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    if _has_body(scope):  # nobody is going to read the rest of it
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


def _check_length(scope: Scope, limit: int) -> None:
    given = Headers(scope=scope).get("content-length", "")
    if given.isascii() and given.isdigit() and int(given[:20]) > limit:
        raise too_large(limit)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_upload(scope: Scope) -> bool:
    return bool(scope["method"] == "POST" and scope["path"] == UPLOADS)
