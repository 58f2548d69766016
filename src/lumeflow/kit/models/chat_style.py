"""How a model wants to be asked; found out by what it does not take, and kept for the questions that follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from lumeflow.kit.models.completion import Parameter

Message = dict[str, str]

BY_SCHEMA, BY_OBJECT, BY_WORDS = "schema", "object", "words"
"""Forms in which an answer is asked for: by JSON Schema, as any JSON object, and in the question's words alone."""


@dataclass(frozen=True, slots=True)
class Style:
    """One way to ask.

    Attributes:
        forms: Forms of the answer that are left to try; the first is used.
        with_temperature: Whether a temperature is sent.
        other_limit: Whether the limit of the answer goes by its other name.
    """

    forms: tuple[str, ...]
    with_temperature: bool = True
    other_limit: bool = False

    def without(self, parameter: Parameter) -> "Style | None":
        """The way to ask a model that does not take `parameter`; None if that was tried."""
        if parameter is Parameter.TEMPERATURE and self.with_temperature:
            return replace(self, with_temperature=False)
        if parameter is Parameter.LIMIT and not self.other_limit:
            return replace(self, other_limit=True)
        if parameter is Parameter.FORMAT and len(self.forms) > 1:
            return replace(self, forms=self.forms[1:])
        return None

    def params(self, question: Mapping[str, Any], schema: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
        """The parameters of a call: the question put in this way."""
        params = dict(question)
        if not self.with_temperature:
            params.pop("temperature", None)
        if self.other_limit:
            params["otherLimit"] = True
        if schema is None:
            return params
        if self.forms[0] == BY_SCHEMA:
            return {**params, "schema": schema, "schemaName": name}
        params["messages"] = with_schema(params["messages"], schema)
        return {**params, "json": True} if self.forms[0] == BY_OBJECT else params


def with_schema(messages: Sequence[Message], schema: Mapping[str, Any]) -> list[Message]:
    """The messages with a JSON Schema described to the model in words, at the end of what the system says."""
    wanted = orjson.dumps(schema).decode()
    told = f"Answer with JSON only, without any other words. It must satisfy this JSON Schema:\n{wanted}"
    first = messages[0] if messages else {"role": "", "content": ""}
    if first["role"] != "system":
        return [{"role": "system", "content": told}, *messages]
    return [{"role": "system", "content": f"{first['content']}\n\n{told}"}, *messages[1:]]
