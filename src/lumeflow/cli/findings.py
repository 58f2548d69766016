"""Findings of a validation, for people."""

from typing import TYPE_CHECKING

from lumeflow.cli.numbers import count
from lumeflow.core.findings import Finding, Report, Severity

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


def print_findings(console: "Console", report: Report) -> None:
    """Print each finding as a group of lines, and the counts."""
    for finding in report.findings:
        print_finding(console, finding)
    if report.findings:
        console.print(f"{count(len(report.errors), 'error')}, {count(len(report.warnings), 'warning')}")


def print_finding(console: "Console", finding: Finding) -> None:
    """Print severity, code, place, and below them how to mend it."""
    from rich.padding import Padding
    from rich.text import Text

    line = Text(str(finding.severity), STYLES[finding.severity])
    line.append(f"  {finding.code}", "bold")
    line.append(f"  {finding.pointer or '/'}", "cyan")
    if finding.node is not None:
        line.append(f"  node {finding.node}", "dim")
    if finding.edge is not None:
        line.append(f"  edge {finding.edge}", "dim")
    console.print(line, overflow="fold")
    console.print(Padding(Text(finding.message), (0, 0, 0, 4), expand=False))
