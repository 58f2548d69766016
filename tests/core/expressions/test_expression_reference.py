"""The documentation of expressions says what the code does.

To bring its generated parts up to date: LUMEFLOW_UPDATE_DOCS=1 pytest tests/core/expressions/test_expression_reference.py
"""

import json
import os
import re
from pathlib import Path

import pytest

from lumeflow.core.conditions import compile_conditions
from lumeflow.core.conditions.reference import operator_reference
from lumeflow.core.expressions import FUNCTIONS, ROOTS, compile_template, limits, patterns
from lumeflow.core.expressions.parser import LEVELS
from lumeflow.core.expressions.reference import CATEGORIES, function_reference

DOCUMENT = Path(__file__).parents[3] / "docs" / "expressions.md"
PARTS = {"functions": function_reference, "operators": operator_reference}


def up_to_date(text):
    for name, write in PARTS.items():
        pattern = re.compile(rf"(<!-- {name}: .*? -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        assert pattern.search(text), f"the marks of {name} are missing"
        text = pattern.sub(lambda found, write=write: f"{found[1]}\n{write()}\n{found[2]}", text)
    return text


def test_the_generated_parts_are_up_to_date():
    text = DOCUMENT.read_text()
    if os.environ.get("LUMEFLOW_UPDATE_DOCS"):
        DOCUMENT.write_text(up_to_date(text))
    assert DOCUMENT.read_text() == up_to_date(text), "run this test with LUMEFLOW_UPDATE_DOCS=1"


def test_every_function_has_a_heading_and_a_row():
    assert {function.category for function in FUNCTIONS.values()} == set(CATEGORIES)
    rows = function_reference()
    assert [function.name for function in FUNCTIONS.values() if f"| `{function.signature}` |" not in rows] == []


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
def test_the_json_examples_compile(block):
    value = json.loads(block)
    if "{{" in block:
        compile_template(value)
    else:
        compile_conditions(value)


def test_all_roots_and_operators_are_in_the_text():
    text = DOCUMENT.read_text()
    assert [root for root in ROOTS if f"| `{root}` |" not in text] == []
    assert [operator for operator in LEVELS if f"`{operator}`" not in text] == []


def test_the_limits_are_those_of_the_code():
    text = DOCUMENT.read_text()
    for limit in (
        limits.MAX_TEMPLATE_CHARS,
        limits.MAX_EXPRESSION_NODES,
        limits.MAX_TOTAL_NODES,
        limits.MAX_DEPTH,
        limits.MAX_TEXT,
        limits.MAX_ITEMS,
        limits.MAX_MADE,
        patterns.MAX_PATTERN_CHARS,
        patterns.MAX_PATTERN_WEIGHT,
        patterns.MAX_SEARCHED_CHARS,
    ):
        assert f"{limit:,}" in text
