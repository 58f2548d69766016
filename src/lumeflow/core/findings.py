"""What validation finds: one `Finding` for each problem, all in one pass."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from lumeflow.core.errors import LumeflowError


class Severity(StrEnum):
    """An error forbids the run; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of a document.

    Attributes:
        code: Stable kebab-case name, e.g. `unknown-key`.
        message: What is wrong, what was found, and how to mend it.
        pointer: JSON pointer into the document.
        severity: Error or warning.
        node: Id of the node concerned, if one is.
        edge: Id of the edge concerned, if one is.
    """

    code: str
    message: str
    pointer: str = ""
    severity: Severity = Severity.ERROR
    node: str | None = None
    edge: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The finding as a JSON object; absent ids are left out."""
        entries = {
            "code": self.code,
            "severity": str(self.severity),
            "pointer": self.pointer,
            "node": self.node,
            "edge": self.edge,
            "message": self.message,
        }
        return {key: value for key, value in entries.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one validation, in document order."""

    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def errors(self) -> list[Finding]:
        """Findings that forbid a run."""
        return [finding for finding in self.findings if finding.severity is Severity.ERROR]

    @property
    def warnings(self) -> list[Finding]:
        """Findings that do not."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    @property
    def ok(self) -> bool:
        """True if nothing forbids a run."""
        return not self.errors

    def as_json(self) -> Mapping[str, Any]:
        """The report as a JSON object."""
        return {"valid": self.ok, "findings": [finding.as_json() for finding in self.findings]}


class InvalidWorkflow(LumeflowError):
    """The document cannot be run.

    Attributes:
        report: All findings.
    """

    def __init__(self, report: Report) -> None:
        first = report.errors[0]
        more = len(report.errors) - 1
        super().__init__(f"{first.pointer or '/'}: {first.message}" + (f" (and {more} more)" if more else ""))
        self.report = report


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """The known name that `wanted` was probably meant to be, or None."""
    matches = get_close_matches(wanted, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` or the list of what there is, for the end of a message."""
    names = sorted(known)
    match = nearest(wanted, names)
    if match:
        return f" Did you mean '{match}'?"
    return f" Known: {', '.join(names)}." if names else ""
