"""Cuts a text template into what stands outside and inside its `{{…}}`."""

from typing import NamedTuple

from lumeflow.core.expressions.reader import OPENING
from lumeflow.core.expressions.tokens import tokenize


class Piece(NamedTuple):
    """A part of a text template.

    Attributes:
        text: Literal text as it is meant, or one expression as it is written, with its braces.
        is_expression: Which of the two.
    """

    text: str
    is_expression: bool


def template_pieces(text: str) -> list[Piece]:
    """The parts of a text in their order; neighbouring literals are one.

    Raises:
        ExpressionError: An expression is not closed, or holds a character that begins nothing.
    """
    pieces: list[Piece] = []
    position, literal = 0, ""
    while (opening := OPENING.search(text, position)) is not None:
        slashes = len(opening[1])
        literal += text[position : opening.start()] + "\\" * (slashes // 2)
        position = opening.end()
        if slashes % 2:
            literal += "{{"
            continue
        pieces += [Piece(literal, is_expression=False)] if literal else []
        literal, start = "", position - 2
        _, position = tokenize(text, position)
        pieces.append(Piece(text[start:position], is_expression=True))
    literal += text[position:]
    return [*pieces, Piece(literal, is_expression=False)] if literal else pieces
