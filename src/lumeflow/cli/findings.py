"""Findings of a validation, for people."""

from typing import TYPE_CHECKING

from lumeflow.cli.numbers import count
from lumeflow.core.findings import Finding, Report, Severity

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}

LONGEST_NAME = 120


def print_findings(console: "Console", report: Report) -> None:
    """Print each finding as a group of lines, and the counts."""
    for finding in report.findings:
        print_finding(console, finding)
    if report.findings:
        console.print(f"{count(len(report.errors), 'error')}, {count(len(report.warnings), 'warning')}")


def shortened(name: str) -> str:
    """A name on one line, however long somebody has made it."""
    return " ".join(name[:LONGEST_NAME].split()) + ("…" if len(name) > LONGEST_NAME else "")


def print_finding(console: "Console", finding: Finding) -> None:
    """Print severity, code, place, and below them how to mend it."""
    from rich.padding import Padding
    from rich.text import Text

    line = Text(str(finding.severity), STYLES[finding.severity])
    line.append(f"  {finding.code}", "bold")
    line.append(f"  {finding.pointer or '/'}", "cyan")
    if finding.node is not None:
        line.append(f"  node {shortened(finding.node)}", "dim")
    if finding.edge is not None:
        line.append(f"  edge {shortened(finding.edge)}", "dim")
    console.print(line, overflow="fold")
    console.print(Padding(Text(finding.message), (0, 0, 0, 4), expand=False))
