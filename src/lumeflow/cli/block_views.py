"""Blocks of the registry, for people and for programs. All of it comes from the block's own class."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lumeflow.cli.results import plain_table, print_json
from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lumeflow.core.registry import BlockClass, Registry


def blocks_called(name: str, registry: "Registry") -> Sequence["BlockClass"]:
    """The block `type/name`, or all blocks of a type.

    Raises:
        UsageError: There is none; the message names the nearest.
    """
    blocks = list(registry.blocks())
    found = [block for block in blocks if name in {block.id(), block.name, str(block.type)}]
    if not found:
        known = {block.id() for block in blocks} | {str(block.type) for block in blocks}
        raise UsageError(f"there is no block '{name}'." + did_you_mean(name, known))
    return found


def description(block: "BlockClass") -> str:
    """The block's docstring."""
    return inspect.cleandoc(block.__doc__ or "")


def meant_by(block: "BlockClass") -> str:
    """The least config that means the block: `provider=apollo`, alternatives after `or`."""
    least = [pairs for pairs in block.when if not any(other.items() < pairs.items() for other in block.when)]
    return " or ".join(" ".join(f"{key}={value}" for key, value in pairs.items()) or "default" for pairs in least)


def brief(block: "BlockClass") -> dict[str, Any]:
    """A line of the list as JSON."""
    return {
        "id": block.id(),
        "type": str(block.type),
        "name": block.name,
        "when": [dict(pairs) for pairs in block.when],
        "summary": description(block).partition("\n")[0],
    }


def full(block: "BlockClass") -> dict[str, Any]:
    """Everything about a block as JSON."""
    return {
        **brief(block),
        "description": description(block),
        "works": str(block.shape()),
        "operations": list(block.operations),
        "config": block.Config.model_json_schema(by_alias=True),
        "example": dict(block.example),
        "exampleInput": dict(block.example_input),
    }


def block_table(blocks: Iterable["BlockClass"]) -> "Table":
    """A row for each block."""
    table = plain_table("block", "config", "what it does")
    table.columns[0].no_wrap = True
    for block in blocks:
        table.add_row(block.id(), meant_by(block), description(block).partition("\n")[0])
    return table


def print_block(console: "Console", block: "BlockClass") -> None:
    """Print purpose, configuration and example."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(block.id(), "bold cyan").append(f"   {meant_by(block)}", "dim"))
    console.print(Padding(Text(description(block)), (0, 0, 1, 2), expand=False))
    console.print("config", style="bold")
    console.print(Padding(config_table(block.Config.model_json_schema(by_alias=True)), (0, 0, 1, 2), expand=False))
    if block.example:
        console.print("example of a node", style="bold")
        print_json(console, {"id": f"{block.type}-1", "type": str(block.type), "config": dict(block.example)})
    console.print()


def config_table(schema: Mapping[str, Any]) -> "Table":
    """A row for each key of a config model, from its JSON Schema."""
    table = plain_table("key", "type", "default", "meaning")
    table.columns[0].no_wrap = True
    required = schema.get("required", ())
    for key, entry in schema.get("properties", {}).items():
        default = "required" if key in required else _default_text(entry)
        table.add_row(key, type_text(entry), default, entry.get("description", ""))
    return table


def _default_text(entry: Mapping[str, Any]) -> str:
    import orjson

    value = entry.get("default")
    return "" if value is None else orjson.dumps(value).decode()


def type_text(schema: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words: `string`, `list of integer`, `skip | error`, `any`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            texts = [type_text(choice) for choice in schema[keyword] if choice.get("type") != "null"]
            return " | ".join(dict.fromkeys(texts))
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_text(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {type_text(schema['additionalProperties'])}"
    return str(kind)
