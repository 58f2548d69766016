"""The JSON Schema of the document, generated from the models: for editors, the API and the docs."""

from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.core.block import BlockType
from lumeflow.core.document.fields import EXTENSION
from lumeflow.core.document.workflow import Workflow
from lumeflow.core.registry import BlockClass, Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "http://lume.ai/schemas/workflow-v1.json"
"""What documents name as their `$schema`."""

_TEMPLATE = {"type": "string", "pattern": r"\{\{", "description": "An expression, resolved before the run."}
_OPEN = frozenset({"Metadata"})


def document_schema(registry: Registry | None = None) -> dict[str, Any]:
    """Generate the schema.

    Args:
        registry: If given, the schema also tells the keys of `config` for each of its blocks.
    """
    schema = Workflow.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema.pop("$defs")
    for name, definition in (("Workflow", schema), *definitions.items()):
        if definition.get("type") == "object":
            definition.pop("title", None)
            definition["additionalProperties"] = name in _OPEN
            if name not in _OPEN:
                definition["patternProperties"] = {f"^{EXTENSION}": {}}
        _without_noise(definition)
    if registry is not None:
        _add_blocks(definitions, registry)
    head = {"$schema": DIALECT, "$id": IDENTIFIER, "title": "lumeflow workflow"}
    return {**head, **schema, "$defs": dict(sorted(definitions.items()))}


def shipped_text() -> str:
    """The text of the schema that is shipped with the package."""
    return orjson.dumps(document_schema(), option=orjson.OPT_INDENT_2).decode() + "\n"


def _without_noise(definition: Any) -> None:
    """Pydantic repeats each key as a title, and says null where there is no default."""
    for part in definition.get("properties", {}).values():
        if isinstance(part, dict):
            part.pop("title", None)
            if part.get("default") is None or isinstance(part["default"], dict):
                part.pop("default", None)


def _add_blocks(definitions: dict[str, Any], registry: Registry) -> None:
    rules = []
    for block_type in BlockType:
        blocks = [block for block in registry.blocks() if block.type is block_type]
        for block in blocks:
            _add_config(definitions, block)
        chain = _chain(blocks)
        if chain:
            rules.append({"if": {"properties": {"type": {"const": str(block_type)}}}, "then": chain})
    definitions["Node"]["allOf"] = rules


def _chain(blocks: list[BlockClass]) -> dict[str, Any]:
    """`if … then … else if …`: the choice that the registry makes, most discriminators first."""
    choices = [(pairs, block) for block in blocks for pairs in block.when]
    choices.sort(key=lambda choice: -len(choice[0]))
    chain: dict[str, Any] = {}
    for pairs, block in reversed(choices):
        config = {"properties": {"config": {"$ref": f"#/$defs/{_name(block)}"}}}
        rest = {"else": chain} if chain else {}
        chain = {"if": _condition(pairs), "then": config, **rest} if pairs else config
    return chain


def _condition(pairs: Mapping[str, str | bool]) -> dict[str, Any]:
    constants = {key: _value(value) for key, value in pairs.items()}
    return {"properties": {"config": {"properties": constants, "required": sorted(pairs)}}, "required": ["config"]}


def _value(wanted: str | bool) -> dict[str, str | bool]:
    """A discriminator's value; `name@*` is `name` in any version or none."""
    if isinstance(wanted, bool):
        return {"const": wanted}
    name, _, version = wanted.rpartition("@")
    return {"pattern": f"^{name}(@.*)?$"} if version == "*" else {"const": wanted}


def _name(block: BlockClass) -> str:
    return f"{block.type}.{block.name}"


def _add_config(definitions: dict[str, Any], block: BlockClass) -> None:
    name = _name(block)
    config = block.Config.model_json_schema(by_alias=True, ref_template=f"#/$defs/{name}.{{model}}")
    for inner, definition in config.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = _templated(definition)
    config["title"] = block.id()
    definitions[name] = _templated(config)


def _templated(definition: dict[str, Any]) -> dict[str, Any]:
    """Every setting may be an expression instead, which is resolved before the run."""
    _without_noise(definition)
    properties = definition.get("properties", {})
    for key, part in properties.items():
        if isinstance(part, dict) and not _takes_text(part):
            described = {word: part.pop(word) for word in ("description", "default") if word in part}
            properties[key] = {**described, "anyOf": [part, _TEMPLATE]}
    return definition


def _takes_text(schema: Mapping[str, Any]) -> bool:
    """True where an expression is allowed anyway: any value, or any text."""
    constrained = {"enum", "const", "pattern", "format", "$ref", "anyOf", "oneOf", "allOf"} & schema.keys()
    return not constrained and schema.get("type", "string") == "string"
