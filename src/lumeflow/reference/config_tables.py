"""The keys of a configuration as Markdown tables: one for the model, one for each model inside it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lumeflow.core.block import ConfigClass
from lumeflow.reference.wording import Schema, Wording, bounded, bounds_of, code, keys_of, slug, takes_null

LAST = "collection"
"""The key that every block has; it is told last."""


def config_tables(config: ConfigClass, discriminators: Sequence[str]) -> str:
    """Tables of all keys, nested models under headings of the third level.

    Args:
        config: The configuration's model.
        discriminators: Keys that choose the block; they stand first.
    """
    schema = config.model_json_schema(by_alias=True)
    definitions: Mapping[str, Schema] = schema.get("$defs", {})
    parts = {name: definitions[name] for name in _in_order(schema, definitions) if "properties" in definitions[name]}
    choosing = {name: _choosing(part, schema) for name, part in parts.items()}
    headings = {name: _heading(name, choosing[name]) for name in parts}
    links = {name: f"[{heading}](#{slug(heading)})" for name, heading in headings.items()}
    wording = Wording(definitions, links)
    texts = [_table(schema, wording, first=discriminators)]
    for name, part in parts.items():
        described = _description(part)
        texts += [f"### {headings[name]}", *described, _table(part, wording, told=choosing[name])]
    return "\n\n".join(texts)


def _in_order(schema: Schema, definitions: Mapping[str, Schema]) -> list[str]:
    """Names of the definitions that are used, in the order in which a reader meets them."""
    found: list[str] = []
    pending = list(_references(schema.get("properties", {})))
    while pending:
        name = pending.pop(0)
        if name not in found:
            found.append(name)
            pending = [*_references(definitions[name]), *pending]
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"].rpartition("/")[2]
        for key, inner in part.items():
            if key != "discriminator":
                yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _choosing(part: Schema, schema: Schema) -> dict[str, Any]:
    """The constants of a model that is one of several: what chooses it."""
    constants = {key: entry["const"] for key, entry in part["properties"].items() if "const" in entry}
    return constants if _is_choice(part, schema) else {}


def _is_choice(part: Schema, schema: Any) -> bool:
    """True if the model stands beside others, chosen by a key."""
    if isinstance(schema, Mapping):
        choice = schema.get("discriminator")
        named = choice.get("mapping", {}).values() if isinstance(choice, Mapping) else ()
        if any(isinstance(target, str) and target.rpartition("/")[2] == part["title"] for target in named):
            return True
        return any(_is_choice(part, inner) for inner in schema.values())
    return isinstance(schema, list) and any(_is_choice(part, inner) for inner in schema)


def _heading(name: str, choosing: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in choosing.items()) or name


def _description(part: Schema) -> list[str]:
    text = part.get("description", "").strip()
    return [text] if text else []


def _table(schema: Schema, wording: Wording, *, first: Sequence[str] = (), told: Mapping[str, Any] = {}) -> str:
    required = schema.get("required", ())
    entries = {key: entry for key, entry in schema["properties"].items() if key not in told}
    if not entries:
        return "No further keys."

    def place(key: str) -> tuple[int, int]:
        if key in first:
            return 0, list(first).index(key)
        return (3 if key == LAST else 1 if key in required else 2), 0

    rows = [_row(key, entries[key], wording, key in required) for key in sorted(entries, key=place)]
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows])


def _row(key: str, entry: Schema, wording: Wording, required: bool) -> str:
    alternatives = "anyOf" in entry or "oneOf" in entry
    words = bounded(wording.type_of(entry), bounds_of(entry) if alternatives else "")
    default = entry.get("default")
    shown = "required" if required else "" if default is None else code(default)
    if default is not None and takes_null(entry):
        words += " or `null`"
    meaning = entry.get("description", "")
    keys = keys_of(entry)
    if keys:
        meaning += f" Keys: {', '.join(f'`{name}`' for name in keys)}."
    return f"| `{key}` | {_cell(words)} | {_cell(shown)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
