"""Splits the inside of `{{…}}` into tokens."""

import re
from typing import NamedTuple

from lumeflow.core.expressions.errors import ExpressionError

NAME, NUMBER, STRING, OPERATOR, END = "name", "number", "string", "operator", "end"

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<name>(?:[^\W\d]|\$)[\w$]*)
      | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<operator>\?\?|==|!=|<=|>=|[-+*/%<>.,()\[\]{}:])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)

# What people write who come from other languages, longest first.
_FOREIGN = {
    "&&": "write and",
    "||": "write or",
    "!": "write not, or != between two values",
    "=": "write ==",
    "|": "functions are called: uppercase(input.name)",
    "?": "write if(condition, then, otherwise); a path through null gives null by itself",
    "`": "write text in '…' or \"…\"",
    "“": "use straight quotes: '…' or \"…\"",
    "”": "use straight quotes: '…' or \"…\"",
    "‘": "use straight quotes: '…' or \"…\"",
    "’": "use straight quotes: '…' or \"…\"",
}


class Token(NamedTuple):
    """One token; `value` is a string's text with its escapes resolved."""

    kind: str
    value: str
    position: int


def tokenize(text: str, start: int) -> tuple[list[Token], int]:
    """Read tokens from `start`, just behind `{{`, up to the `}}` that closes it.

    Returns:
        The tokens, the last of kind `END`, and the offset just behind `}}`.

    Raises:
        ExpressionError: There is a character that begins no token, or no closing `}}`.
    """
    tokens: list[Token] = []
    position, open_braces = start, 0
    while position < len(text):
        if not open_braces and text.startswith("}}", position):
            tokens.append(Token(END, "}}", position))
            return tokens, position + 2
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        kind, value = str(match.lastgroup), match.group()
        if kind == OPERATOR:
            open_braces += {"{": 1, "}": -1}.get(value, 0)
        if kind == STRING:
            value = _unescape(text, match)
        if kind != "space":
            tokens.append(Token(kind, value, position))
        position = match.end()
    raise ExpressionError(
        "this {{ is never closed", start - 2, text, "write }} behind the expression, or \\{{ for text"
    )


def _unreadable(text: str, position: int) -> ExpressionError:
    character = text[position]
    if character in "'\"":
        return ExpressionError("a text without closing quote", position, text, f"write {character} at its end")
    for foreign, hint in _FOREIGN.items():
        if text.startswith(foreign, position):
            return ExpressionError(f"{foreign} means nothing here", position, text, hint)
    return ExpressionError(f"unexpected character {character!r}", position, text)


def _unescape(text: str, match: re.Match[str]) -> str:
    body = match.group()[1:-1]
    if "\\" not in body:
        return body

    def resolve(escape: re.Match[str]) -> str:
        if escape[1]:
            return chr(int(escape[1], 16))
        if escape[2] in _ESCAPES:
            return _ESCAPES[escape[2]]
        if escape[2].isalnum():
            place = match.start() + 1 + escape.start()
            raise ExpressionError(f"unknown escape \\{escape[2]}", place, text, "write \\\\ for a backslash")
        return escape[2]

    return _ESCAPE.sub(resolve, body)
