"""Reading bodies, and saying in the OpenAPI document which problems an endpoint can answer with."""

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from lumeflow.server.bodies import JsonRequest, check_media_type
from lumeflow.server.problems import MEDIA_TYPE
from lumeflow.server.queries import check_query, parameters_of

ALWAYS = (400, 401, 403, 408, 413, 422, 429, 500, 503)
"""Statuses that any endpoint with a key can answer with."""
UNSIGNED = (408, 413, 422, 429, 500, 503)


class JsonRoute(APIRoute):
    """A route that reads JSON by the rules of RFC 8259, and refuses parameters that it does not have."""

    takes_any_query: ClassVar[bool] = False

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.body_field is not None:
            self.responses = {**self.responses, **problems(415, always=())}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        handle = super().get_route_handler()
        known = parameters_of(self.dependant)

        async def strict(request: Request) -> Response:
            if not self.takes_any_query:
                check_query(request, known)
            checked = JsonRequest(request.scope, request.receive)
            if self.body_field is not None:  # here, since FastAPI would make 400 of every problem with a body
                await checked.check()
            return await handle(checked)

        return strict


class OpenRoute(JsonRoute):
    """A route for those who add parameters of their own to an address: load balancers, senders of deliveries."""

    takes_any_query = True


_MEANINGS = {
    400: "The request cannot be read.",
    401: "No valid key came with the request.",
    403: "The key lacks a scope that is needed, or its tenant is suspended.",
    404: "There is no such thing, or it is another tenant's.",
    408: "The body came too slowly.",
    409: "It exists already, or it cannot be done as things stand; `detail` says why.",
    412: "It has changed since it was read: read it again, and send its new `ETag` as `If-Match`.",
    413: "The body, or the document in it, is too large.",
    415: "The body is not said to be what is taken here: JSON, or a file's bytes.",
    422: "Something in the request is not right: `errors` names its fields, `findings` what is wrong with a workflow.",
    428: "`If-Match` is missing.",
    429: "Too many requests, or streams, of this key.",
    500: "A bug of lumeflow. Nothing is told of it here; the server's log has it.",
    503: "It cannot be done for the moment: try again.",
}
_RETRY = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}}


def problems(*statuses: int, always: tuple[int, ...] = ALWAYS) -> dict[int | str, dict[str, Any]]:
    """Documentation of problems."""
    return {
        status: {
            "description": _MEANINGS[status],
            **({"headers": _RETRY} if status in {429, 503} else {}),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}},
        }
        for status in sorted({*statuses, *always})
    }


def router(
    tag: str, prefix: str = "", *, always: tuple[int, ...] = ALWAYS, route: type[JsonRoute] = JsonRoute
) -> APIRouter:
    """A group of endpoints."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=route, responses=problems(always=always))


def json_body(schema: str, description: str, example: Any = None) -> dict[str, Any]:
    """Documentation of a body that the endpoint reads by itself: JSON, by a schema of the components."""
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    if example is not None:
        content["examples"] = {"example": {"value": example}}
    body = {"required": True, "description": description, "content": {"application/json": content}}
    return {"requestBody": body}


async def raw_json(request: Request) -> bytes:
    """The body's bytes, of a document whose reader tells more of errors than a parser of ours would.

    Raises:
        Problem: It is not said to be JSON.
    """
    check_media_type(request)
    return await request.body()
