"""What the simulated model can be asked to do, by the name of the answer's schema."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from lumeflow.simulator.model.conform import blank, conform
from lumeflow.simulator.model.extraction import contacts_in

Task = Callable[[str], Any]
"""Reads the last user message and gives the answer as a JSON value."""


def comments_in(prompt: str) -> list[dict[str, Any]]:
    """The lines of a prompt that are JSON objects with an `id`, each id once."""
    comments: dict[str, dict[str, Any]] = {}
    for line in prompt.splitlines():
        text = line.strip().rstrip(",")
        if not text.startswith("{"):
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            continue
        if isinstance(value, dict) and "id" in value:
            comments.setdefault(str(value["id"]), value)
    return list(comments.values())


def extract_contacts(prompt: str) -> dict[str, Any]:
    """`{"items": [{"id", "contacts": […]}, …]}` with every id of the prompt exactly once."""
    return {"items": [{"id": comment["id"], "contacts": contacts_in(comment)} for comment in comments_in(prompt)]}


TASKS: Mapping[str, Task] = {"contacts": extract_contacts}


def answer(prompt: str, response_format: Any) -> str:
    """What the model says to `prompt`.

    Args:
        prompt: The last user message.
        response_format: As in a chat request: `{"type": "json_schema", "json_schema": {"name", "schema"}}`,
            `{"type": "json_object"}`, or None. A schema of an unknown name gets the emptiest valid answer.
    """
    wanted = response_format if isinstance(response_format, dict) else {}
    asked = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(asked, dict):
        schema = asked.get("schema")
        task = TASKS.get(str(asked.get("name")))
        value = conform(task(prompt), schema, schema) if task else blank(schema, schema)
        return orjson.dumps(value).decode()
    if wanted.get("type") == "json_object" or comments_in(prompt):
        return orjson.dumps(extract_contacts(prompt)).decode()
    return f"This is a simulated model. Your message has {len(prompt)} characters and no comments to read."
