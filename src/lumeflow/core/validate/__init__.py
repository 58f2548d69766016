"""Everything that can be known of a workflow before it runs, in one pass."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lumeflow.core.document import Workflow
from lumeflow.core.document.draft import Draft, draft_of, whole
from lumeflow.core.document.reading import read_document
from lumeflow.core.document.shape import attributed
from lumeflow.core.findings import Finding, InvalidWorkflow, Report
from lumeflow.core.pointer import document_position
from lumeflow.core.registry import Registry
from lumeflow.core.schemas import SchemaLibrary
from lumeflow.core.validate import graph_rules
from lumeflow.core.validate.blocks import BlockRules
from lumeflow.core.validate.connections import connections
from lumeflow.core.validate.references import ReferenceRules
from lumeflow.core.validate.schema_rules import collections
from lumeflow.core.validate.static import STATIC_ROOTS, resolve_static
from lumeflow.core.validate.subject import Settings, Subject
from lumeflow.core.validate.written_files import shared_files

__all__ = ["STATIC_ROOTS", "resolve_static", "validate"]


def validate(
    document: Workflow | Mapping[str, Any] | bytes | str,
    registry: Registry,
    *,
    secrets_known: Collection[str] | None = None,
    secrets_unreadable: Mapping[str, str] | None = None,
    allow_env: bool = False,
) -> Report:
    """Find all problems of a document; never raises.

    Args:
        document: JSON text, the object that it stands for, or a document that was loaded.
        registry: The blocks that there are.
        secrets_known: Names of the configured secrets; None leaves secrets unchecked.
        secrets_unreadable: Those of them that cannot be read, and why.
        allow_env: True if policy allows `{{env.NAME}}`.
    """
    try:
        draft = _draft(document)
    except InvalidWorkflow as error:
        return error.report
    found = dict.fromkeys(_findings(draft, registry, Settings(secrets_known, allow_env, secrets_unreadable or {})))
    ordered = sorted(found, key=lambda finding: document_position(draft.raw, finding.pointer))
    return Report(tuple(attributed(finding, draft.raw) for finding in ordered))


def _draft(document: Workflow | Mapping[str, Any] | bytes | str) -> Draft:
    if isinstance(document, Workflow):
        return whole(document, document.as_json())
    return draft_of(read_document(document))


def _findings(draft: Draft, registry: Registry, settings: Settings) -> Iterator[Finding]:
    yield from draft.findings
    subject = Subject(draft, registry, SchemaLibrary(draft.raw), settings)
    blocks = BlockRules(registry, settings)
    nodes = [blocks.facts(node, index) for node, index in zip(draft.workflow.nodes, draft.node_index, strict=True)]
    subject.nodes = {facts.id: facts for facts in reversed(nodes)}
    subject.nodes = {facts.id: subject.nodes[facts.id] for facts in nodes}
    yield from blocks.findings
    yield from subject.library.findings
    yield from graph_rules.duplicate_ids(subject)
    yield from graph_rules.edge_rules(subject)
    yield from graph_rules.node_rules(subject)
    yield from graph_rules.cycles(subject)
    if draft.complete:
        yield from graph_rules.reachability(subject)
    yield from shared_files(subject)
    yield from collections(subject)
    yield from connections(subject)
    yield from ReferenceRules(subject).findings()
