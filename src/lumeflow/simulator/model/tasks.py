"""What the simulated model can be asked to do, by the name of the answer's schema."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from lumeflow.simulator.model.conform import blank, conform
from lumeflow.simulator.model.extraction import contacts_in
from lumeflow.simulator.model.interests import interests_of
from lumeflow.simulator.model.reading import schema_in
from lumeflow.simulator.model.sentiment import sentiment_of

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


def infer_interests(prompt: str) -> dict[str, Any]:
    """`{"items": [{"id", "interests": […]}, …]}` with every id of the prompt exactly once."""
    return {"items": [{"id": person["id"], "interests": interests_of(person)} for person in comments_in(prompt)]}


def judge_sentiments(prompt: str) -> dict[str, Any]:
    """`{"items": [{"id", "label", "score", "confidence"}, …]}` with every id of the prompt exactly once."""
    return {"items": [{"id": entry["id"], **sentiment_of(entry)} for entry in comments_in(prompt)]}


TASKS: Mapping[str, Task] = {
    "contacts": extract_contacts,
    "interests": infer_interests,
    "sentiments": judge_sentiments,
}
_TOLD_BY = {"contacts": "contacts", "interests": "interests", "label": "sentiments"}
"""Properties of the items of a schema that has no name, and the task that they tell."""


def answer(prompt: str, response_format: Any, instructions: str = "") -> str:
    """What the model says to `prompt`.

    Args:
        prompt: The last user message.
        response_format: As in a chat request: `{"type": "json_schema", "json_schema": {"name", "schema"}}`,
            `{"type": "json_object"}`, or None. A schema of an unknown name gets the emptiest valid answer.
        instructions: What the system says; a JSON Schema on its last line is obeyed as well.
    """
    wanted = response_format if isinstance(response_format, dict) else {}
    asked = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(asked, dict):
        return by_schema(prompt, asked.get("schema"), str(asked.get("name")))
    described = schema_in(instructions)
    if described is not None:
        return by_schema(prompt, described)
    if wanted.get("type") == "json_object" or comments_in(prompt):
        return orjson.dumps(extract_contacts(prompt)).decode()
    return f"This is a simulated model. Your message has {len(prompt)} characters and no comments to read."


def by_schema(prompt: str, schema: Any, name: str = "") -> str:
    """The answer that a schema asks for; what is asked is told by its name, or by what its items hold."""
    task = TASKS.get(name) or TASKS.get(_told(schema))
    value = conform(task(prompt), schema, schema) if task else _blank(prompt, schema)
    return orjson.dumps(value).decode()


def _told(schema: Any) -> str:
    item = _item(schema)
    properties = item.get("properties") if isinstance(item, dict) else None
    return next((_TOLD_BY[name] for name in properties or () if name in _TOLD_BY), "")


def _item(schema: Any) -> Any:
    """The schema of an entry of the list `items`; None if there is no such list."""
    for name in ("properties", "items", "items"):
        schema = schema.get(name) if isinstance(schema, dict) else None
    return schema


def _blank(prompt: str, schema: Any) -> Any:
    """The emptiest valid answer; of a list of items, one for each id that is asked about."""
    item = _item(schema)
    listed = comments_in(prompt)
    if isinstance(item, dict) and "id" in (item.get("properties") or {}) and listed:
        return {"items": [{**(blank(item, schema) or {}), "id": entry["id"]} for entry in listed]}
    return blank(schema, schema)
