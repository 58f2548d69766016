"""Writes the reference of all functions from the registry, so that the documentation can't lag behind the code."""

from lumeflow.core.expressions.functions import FUNCTIONS, Function

CATEGORIES = {
    "text": "Text",
    "number": "Numbers",
    "date": "Dates and times",
    "contact": "E-mail, web, phone and names",
    "logic": "Choosing",
    "list": "Lists",
    "object": "Objects and JSON",
    "encoding": "Hashes and encodings",
}


def function_reference() -> str:
    """Return the reference in Markdown: a table of functions for each category."""
    return "\n".join(_section(category, title) for category, title in CATEGORIES.items())


def _section(category: str, title: str) -> str:
    rows = [_row(each) for each in FUNCTIONS.values() if each.category == category]
    return "\n".join([f"### {title}", "", "| call | gives | example |", "| --- | --- | --- |", *rows, ""])


def _row(each: Function) -> str:
    examples = "<br>".join(f"{_code(call)} → {_code(result)}" for call, result in each.examples)
    return f"| {_code(each.signature)} | {each.summary} | {examples} |"


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"
