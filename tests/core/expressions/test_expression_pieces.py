"""Cutting a template into literal text and expressions."""

import pytest

from lumeflow.core.expressions import ExpressionError, template_pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("abc", [("abc", False)]),
        ("{{input.a}}", [("{{input.a}}", True)]),
        (
            "x/{{ input.a }}/{{b('}}')}}!",
            [("x/", False), ("{{ input.a }}", True), ("/", False), ("{{b('}}')}}", True), ("!", False)],
        ),
        (r"\{{a}} {{b}}", [("{{a}} ", False), ("{{b}}", True)]),
        (r"\\{{b}}", [("\\", False), ("{{b}}", True)]),
        ("{{ {'a': {'b': 1}} }}", [("{{ {'a': {'b': 1}} }}", True)]),
    ],
)
def test_pieces(text, pieces):
    assert template_pieces(text) == pieces


@pytest.mark.parametrize("text", ["{{input.a", "a {{ ` }}"])
def test_what_is_not_closed_is_an_error(text):
    with pytest.raises(ExpressionError):
        template_pieces(text)
