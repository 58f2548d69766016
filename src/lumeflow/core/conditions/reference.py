"""Writes the reference of all operators from their registry, so that the documentation can't lag behind the code."""

from lumeflow.core.conditions.operators import CASE_SENSITIVE, OPERATORS


def operator_reference() -> str:
    """Return the reference in Markdown: a table of the operators."""
    rows = [
        f"| `{each.name}` | {'—' if each.takes == 'nothing' else each.takes} | {each.summary} |"
        f" {'yes' if each.name in CASE_SENSITIVE else ''} |"
        for each in OPERATORS.values()
    ]
    return "\n".join(["| operator | value | holds when | `ignoreCase` |", "| --- | --- | --- | --- |", *rows, ""])
