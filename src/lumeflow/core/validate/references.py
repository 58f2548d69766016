"""What expressions refer to: nodes, secrets, and paths into payloads whose schemas are known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lumeflow.core.block import BlockType, Shape
from lumeflow.core.conditions.models import GROUP_OPERATORS
from lumeflow.core.document import Code
from lumeflow.core.expressions import Reference, Template, compile_path, compile_template
from lumeflow.core.expressions.paths import format_path
from lumeflow.core.findings import Finding, did_you_mean
from lumeflow.core.pointer import Parts, parse_pointer
from lumeflow.core.validate.payloads import Payloads
from lumeflow.core.validate.sites import Kind
from lumeflow.core.validate.static import STATIC_ROOTS
from lumeflow.core.validate.subject import INPUT, OUTPUT, NodeFacts, Subject

EXECUTION_KEYS = ("id", "mode", "now")
WORKFLOW_KEYS = ("id", "input")


@dataclass(frozen=True, slots=True)
class _Use:
    """One reference at its place in a node's configuration."""

    facts: NodeFacts
    at: Parts
    reference: Reference

    @property
    def text(self) -> str:
        return format_path((self.reference.root, *self.reference.path))

    def finding(self, code: Code, message: str, **more: Any) -> Finding:
        return self.facts.config_finding(code, message, self.at, **more)


class ReferenceRules:
    """Checks the references of all templates and conditions."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._payloads = Payloads(subject)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong with them, node by node."""
        for facts in self._subject.nodes.values():
            for site in facts.sites:
                if site.kind is Kind.CONDITION:
                    yield from self._condition(facts, site.value, site.at)
                elif site.at in facts.templates:
                    yield from self._template(facts, site.at, facts.templates[site.at], static=site.kind is Kind.STATIC)

    def _template(self, facts: NodeFacts, at: Parts, template: Template, *, static: bool = False) -> Iterator[Finding]:
        for reference in template.references:
            use = _Use(facts, (*at, *parse_pointer(reference.pointer)), reference)
            if static and reference.root not in STATIC_ROOTS:
                yield use.finding(Code.NOT_BEFORE_RUN, _not_before_run(use))
            else:
                yield from self._use(use)

    def _condition(self, facts: NodeFacts, condition: Any, at: Parts) -> Iterator[Finding]:
        """A condition's field is a path into the record; its value may be a template."""
        if isinstance(condition, list):
            for index, item in enumerate(condition):
                yield from self._condition(facts, item, (*at, index))
        elif isinstance(condition, dict) and condition.get("operator") in GROUP_OPERATORS:
            yield from self._condition(facts, condition.get("conditions"), (*at, "conditions"))
        elif isinstance(condition, dict):
            path = compile_path(condition["field"]).parts
            record = getattr(facts.config, "scope", "record") != "payload"
            yield from self._payloads.input_path(facts, (*at, "field"), path, condition["field"], record=record)
            if condition["operator"] != "regex" and "value" in condition:
                yield from self._template(facts, (*at, "value"), compile_template(condition["value"]))

    def _use(self, use: _Use) -> Iterator[Finding]:
        match use.reference.root:
            case "secrets":
                yield from self._secret(use)
            case "nodes":
                yield from self._node(use)
            case "input":
                record = use.facts.block_class is not None and use.facts.block_class.shape() is Shape.RECORD
                yield from self._payloads.input_path(use.facts, use.at, use.reference.path, use.text, record=record)
            case "workflow":
                yield from self._known_key(use, WORKFLOW_KEYS)
                yield from self._workflow_input(use)
            case "execution":
                yield from self._known_key(use, EXECUTION_KEYS)
            case "trigger":
                schemas = [(facts, INPUT) for facts in self._subject.of_type(BlockType.INPUT)]
                yield from self._payloads.path_in(use.facts, use.at, schemas, use.reference.path, use.text)

    def _secret(self, use: _Use) -> Iterator[Finding]:
        known = self._subject.settings.secrets
        name = use.reference.path[0] if use.reference.path else None
        if known is not None and isinstance(name, str) and name not in known:
            message = (
                f"there is no secret '{name}': set LUMEFLOW_SECRET_{name} in the environment, or correct the name."
                + did_you_mean(name, known)
            )
            yield use.finding(Code.UNKNOWN_SECRET, message)
        elif known is not None and name in self._subject.settings.unreadable:
            yield use.finding(Code.UNKNOWN_SECRET, f"{self._subject.settings.unreadable[str(name)]}.")

    def _node(self, use: _Use) -> Iterator[Finding]:
        path: Sequence[str | int] = use.reference.path
        if not path:
            message = "'nodes' alone means nothing: write nodes['ID'].output."
            yield use.finding(Code.IMPOSSIBLE_PATH, message)
            return
        name = str(path[0])
        if name in self._subject.draft.dropped:
            return
        if name not in self._subject.nodes:
            message = f"'{use.text}': there is no node '{name}'." + did_you_mean(name, self._subject.nodes)
            yield use.finding(Code.UNKNOWN_NODE, message)
            return
        ancestry = self._subject.ancestry
        if ancestry is not None and not ancestry.is_upstream(name, use.facts.id):
            message = (
                f"'{use.text}': no path leads from '{name}' to '{use.facts.id}', so its output is never known here."
            )
            yield use.finding(Code.NOT_UPSTREAM, message)
        if len(path) > 1 and path[1] != "output":
            message = f"'{use.text}': of a node only its output can be read: write nodes['{name}'].output."
            yield use.finding(Code.IMPOSSIBLE_PATH, message)
        elif len(path) > 2:
            yield from self._fields_of(use, [self._subject.nodes[name]], path[2:])

    def _workflow_input(self, use: _Use) -> Iterator[Finding]:
        path = use.reference.path
        if path[:1] == ("input",) and len(path) > 1:
            yield from self._fields_of(use, self._subject.of_type(BlockType.INPUT), path[1:])

    def _fields_of(self, use: _Use, nodes: Sequence[NodeFacts], path: Sequence[str | int]) -> Iterator[Finding]:
        """A path into another node's output: its fields, for its records have passed or are yet to come."""
        collection = next((each for each in nodes if self._subject.collection(each, OUTPUT) == path[0]), None)
        if collection is None:
            yield from self._payloads.path_in(use.facts, use.at, [(each, OUTPUT) for each in nodes], path, use.text)
            return
        message = (
            f"'{use.text}': '{path[0]}' holds the records of '{collection.id}', and these stream: of another node only "
            "the fields beside its records can be read. Take them from 'input' in a node that they pass through."
        )
        yield use.finding(Code.IMPOSSIBLE_PATH, message)

    def _known_key(self, use: _Use, known: Sequence[str]) -> Iterator[Finding]:
        key = use.reference.path[0] if use.reference.path else None
        if key is not None and key not in known:
            message = f"'{use.text}': '{use.reference.root}' has no '{key}'." + did_you_mean(str(key), known)
            yield use.finding(Code.IMPOSSIBLE_PATH, message)


def _not_before_run(use: _Use) -> str:
    return (
        f"'{use.text}' is not known before the run, and this setting is read before it: "
        f"use {', '.join(STATIC_ROOTS[:-1])} or {STATIC_ROOTS[-1]}, or write the value out."
    )
