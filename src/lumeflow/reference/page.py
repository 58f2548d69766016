"""One block's page."""

from collections.abc import Mapping, Sequence
from typing import Any

from lumeflow.core.block import Shape
from lumeflow.core.registry import BlockClass, Registry
from lumeflow.reference.config_tables import config_tables
from lumeflow.reference.docstring import Docstring
from lumeflow.reference.short_json import short_json

MARK = "<!-- Made from the block itself by `lumeflow blocks docs`. -->"
"""First line of every page, by which pages are told from files of other origin."""

_WORKS = {
    Shape.RECORD: "Works record by record.",
    Shape.BATCH: "Works on batches of records.",
    Shape.PRODUCER: "Makes records out of a whole payload.",
    Shape.WHOLE: "Waits for everything that reaches it, then works on the whole.",
}


def page(block: BlockClass, registry: Registry, workflows: Sequence[str] = ()) -> str:
    """The page of a block, in Markdown.

    Args:
        block: The block.
        registry: Where the operations are described that it calls.
        workflows: Names of shipped workflows that use it.
    """
    docstring = Docstring.of(block)
    keys = list(dict.fromkeys(key for pairs in block.when for key in pairs))
    parts = [
        MARK,
        f"# {block.id()}",
        docstring.summary,
        docstring.more,
        _meaning(block),
        _nature(block, registry),
        *(f"**{name}:** {text}" for name, text in docstring.sections.items()),
        "## Configuration",
        config_tables(block.Config, keys),
        *_example(block),
        _shown(workflows),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def meant_by(when: Sequence[Mapping[str, str | bool]]) -> str:
    """The least config that means a block, by its `when`: `provider=apollo`, alternatives after `or`."""
    ways = [" ".join(f"{key}={_written(value)}" for key, value in pairs.items()) for pairs in _least(when)]
    return " or ".join(way or "default" for way in ways)


def _written(value: str | bool) -> str:
    return value.removesuffix("@*") if isinstance(value, str) else str(value).lower()


def _quoted(value: str | bool) -> str:
    return f'"{_written(value)}"' if isinstance(value, str) else _written(value)


def _least(when: Sequence[Mapping[str, str | bool]]) -> list[Mapping[str, str | bool]]:
    return [pairs for pairs in when if not any(other.items() < pairs.items() for other in when)]


def _meaning(block: BlockClass) -> str:
    ways = [
        " and ".join(f'`"{key}": {_quoted(value)}`' for key, value in pairs.items()) for pairs in _least(block.when)
    ]
    start = f"A node of the type `{block.type}` means this block"
    if "" in ways:
        return f"{start} unless its `config` means another one."
    return f"{start} if its `config` holds {', or '.join(ways)}."


def _nature(block: BlockClass, registry: Registry) -> str:
    sentences = [_WORKS[block.shape()]]
    ports = _ports(block)
    if ports and ports != ["out"]:
        sentences.append(f"In the example its ports are {', '.join(f'`{port}`' for port in ports)}.")
    if block.operations:
        sentences.append(f"Calls {', '.join(f'`{name}`' for name in block.operations)}.")
        sentences += _keys(block, registry)
    return " ".join(sentences)


def _keys(block: BlockClass, registry: Registry) -> list[str]:
    """Which environment variables hold the keys that its calls need."""
    operations, providers = registry.operations(), registry.providers()
    called = [operations[name].provider for name in block.operations if name in operations]
    names = dict.fromkeys(providers[name].key_name for name in called if name in providers and providers[name].key_name)
    return [f"Its key is taken from {' or '.join(f'`{name}`' for name in names)}."] if names else []


def _ports(block: BlockClass) -> list[str]:
    if block.type == "output":
        return []
    try:
        return list(block(block.Config.model_validate(block.example)).out_ports())
    except ValueError:
        return []


def _example(block: BlockClass) -> list[str]:
    if not block.example:
        return []
    node = {"id": f"{block.type}-1", "type": str(block.type), "config": dict(block.example)}
    parts = ["## Example", _json("node", node)]
    if block.example_input:
        given = "the execution's input" if block.type == "input" else "what reaches the node"
        parts += [f"With this as {given}:", _json("input", block.example_input)]
    return parts


def _shown(workflows: Sequence[str]) -> str:
    links = ", ".join(f"[{name}](../workflows.md#{name})" for name in workflows)
    return f"Shipped workflows that use it: {links}." if links else ""


def _json(label: str, value: Any) -> str:
    return f"```json {label}\n{short_json(value)}\n```"
