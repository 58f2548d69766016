"""`Idempotency-Key`: a request that comes twice acts once and is answered twice."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header
from starlette.responses import Response

from lumeflow.core.clock import derived_id
from lumeflow.server.answers import Json, dump
from lumeflow.server.caller import Caller
from lumeflow.server.problems import unusable

KEPT = timedelta(days=1)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Chosen by the client. The same request under the same key acts once, for a day.",
    ),
]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a request is acted on.

    Attributes:
        derived: Id for what it starts, which follows from the key and the content; None if there is no key.
        is_again: True if an earlier attempt got no answer: its process was killed, or is at it still. What it started
            under an id that the client chose is then there already, and is this request's.
    """

    derived: str | None = None
    is_again: bool = False


Act = Callable[[Attempt], Awaitable[Json]]


async def once(caller: Caller, key: str | None, content: Any, act: Act) -> Response:
    """Act, unless this was asked for before.

    Args:
        caller: Who asks.
        key: The key; None to act in any case.
        content: What makes two requests the same.
        act: Does it. If what it starts is there already under the derived id (the server may have been killed before it
            could answer), it answers with that.

    Raises:
        Problem: The key belongs to another request.
    """
    if key is None:
        return await act(Attempt())
    kept, now = caller.database.idempotency, caller.now
    digest = hashlib.sha256(dump(content)).hexdigest()
    earlier = await kept.reserve(key, digest, at=now, expires_at=now + KEPT)
    if earlier is not None and earlier.request_digest != digest:
        raise unusable("Idempotency-Key: it was sent with another request: take a new one", code="key-was-used")
    if earlier is not None and earlier.status is not None and earlier.response is not None:
        headers = {"Idempotent-Replayed": "true"}
        return Response(earlier.response, HTTPStatus(earlier.status), headers=headers, media_type="application/json")
    try:
        derived = derived_id("request", caller.tenant, key, digest)
        answer = await act(Attempt(derived, is_again=earlier is not None))
    except BaseException:
        await kept.release(key)
        raise
    await kept.complete(key, execution_id=None, status=answer.status_code, response=bytes(answer.body))
    return answer
