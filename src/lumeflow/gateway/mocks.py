"""Answers that the user gives in the vendors' place, by node id, operation id or provider name."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.core.effects import canonical_json
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.core.operation import Operation, Params

_HEADERS = {"content-type": "application/json"}


class Canned:
    """A transport that has one answer for everything."""

    def __init__(self, response: HttpResponse) -> None:
        self._response = response

    async def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ASYNC109 - the port's name
        """The answer."""
        return self._response

    async def close(self) -> None:
        """Nothing to release."""


class Mocks:
    """Mocked answers.

    Each value is the vendor's JSON body, served with status 200. A list holds several bodies, of which each call gets
    the one that its parameters pick, always the same; so a body that is itself a list is written in one more list.

    Args:
        answers: By node id, operation id (`apollo/people-match`) or provider name, looked for in this order.
        operations: The known operations.

    Raises:
        UsageError: A key looks like an operation id and is none, or a list is empty.
    """

    def __init__(self, answers: Mapping[str, Any], operations: Mapping[str, Operation]) -> None:
        self._answers: dict[str, list[Canned]] = {}
        for name, value in answers.items():
            if "/" in name and name not in operations:
                raise UsageError(
                    f"mocks name the operation '{name}', which does not exist." + did_you_mean(name, operations)
                )
            bodies = value if isinstance(value, list) else [value]
            if not bodies:
                raise UsageError(f"the mocks of '{name}' are an empty list; give at least one answer")
            self._answers[name] = [Canned(HttpResponse(200, _HEADERS, orjson.dumps(body))) for body in bodies]

    def find(self, node_id: str, operation: Operation, params: Params) -> Canned | None:
        """The mocked answer to a call; None if it is not mocked."""
        if not self._answers:
            return None
        for name in (node_id, operation.id, operation.provider):
            answers = self._answers.get(name)
            if answers is not None:
                return answers[0] if len(answers) == 1 else answers[_pick(params, len(answers))]
        return None


def _pick(params: Params, among: int) -> int:
    digest = hashlib.sha256(canonical_json(params)).digest()
    return int.from_bytes(digest[:8], "big") % among
