"""Reading and checking documents."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from lumeflow.core.document import Workflow
from lumeflow.core.findings import InvalidWorkflow, Report
from lumeflow.core.registry import Registry
from lumeflow.core.validate import validate
from lumeflow.vault.tenant_secrets import TenantSecrets

KEPT = 64
"""Documents that are kept for the next time."""
LARGEST = 200_000
"""Bytes of a document that is kept."""

Key = tuple[object, ...]


class Documents:
    """Reads and checks documents. One that was found to be right and comes again, unchanged and with the same secrets
    configured, is not read again: a workflow is run many times, and is checked when it is queued and when it begins.

    Args:
        registry: The blocks that there are.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._kept: dict[Key, Workflow] = {}

    def check(self, source: Workflow | Mapping[str, Any] | bytes, secrets: TenantSecrets | None) -> Report:
        """All findings on a document, warnings included; never raises for a bad one.

        Args:
            source: The document.
            secrets: Those that there are; None where none need be configured.
        """
        if secrets is None:
            return validate(source, self._registry)
        return validate(
            source, self._registry, secrets_known=secrets.sources(), secrets_unreadable=secrets.unreadable()
        )

    def load(self, source: Mapping[str, Any] | bytes, secrets: TenantSecrets | None) -> Workflow:
        """Read a document that has no errors; see `check`.

        Raises:
            InvalidWorkflow: With the whole report.
        """
        key = self._key(source, secrets)
        workflow = self._kept.pop(key, None) if key else None
        if workflow is None:
            report = self.check(source, secrets)
            if not report.ok:
                raise InvalidWorkflow(report)
            workflow = Workflow.load(source)
        if key:
            self._keep(key, workflow)
        return workflow

    def is_large(self, source: Mapping[str, Any] | bytes) -> bool:
        """True if it takes long to check, and is not kept: then it is better checked in a thread."""
        return len(source if isinstance(source, bytes) else orjson.dumps(source, default=dict)) > LARGEST

    def _keep(self, key: Key, workflow: Workflow) -> None:
        self._kept[key] = workflow
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def _key(self, source: Mapping[str, Any] | bytes, secrets: TenantSecrets | None) -> Key | None:
        """What the outcome depends on; None for a document that is not kept."""
        try:
            text = source if isinstance(source, bytes) else orjson.dumps(source)
        except TypeError:
            return None
        if len(text) > LARGEST:
            return None
        # Blocks that are registered later may fit a node better.
        blocks = sum(1 for _ in self._registry.blocks())
        known = secrets and (frozenset(secrets.sources()), frozenset(secrets.unreadable().items()))
        return hashlib.sha256(text).digest(), blocks, known
