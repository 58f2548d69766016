"""Reads one expression by operator precedence.

Written by hand: a generated parser (lark) takes 0.2 s to import and build before the first template is read, and says
less well what is wrong.
"""

from typing import Any

from lumeflow.core.expressions import limits
from lumeflow.core.expressions.errors import ExpressionError
from lumeflow.core.expressions.syntax import (
    Access,
    Call,
    Chain,
    Expression,
    ListOf,
    Literal,
    ObjectOf,
    Select,
    Unary,
)
from lumeflow.core.expressions.tokens import END, NAME, NUMBER, OPERATOR, STRING, Token

# Loosest first. `??` binds tighter than comparisons, so that `input.age ?? 0 > 17` means what it says.
OR, AND, NOT, COMPARISON, COALESCE, SUM, PRODUCT = range(1, 8)
LEVELS = {
    "or": OR,
    "and": AND,
    "??": COALESCE,
    **dict.fromkeys(["==", "!=", "<", "<=", ">", ">=", "in", "not in"], COMPARISON),
    **dict.fromkeys(["+", "-"], SUM),
    **dict.fromkeys(["*", "/", "%"], PRODUCT),
}
_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = {"and", "or", "in"}
_HYPHEN_HINT = "a name with a hyphen or a space is written in brackets: nodes['llm-1'].output"
_MAX_NUMBER_CHARS = 40


class Parser:
    """Parses the tokens of one expression; used once."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self.nodes = 0

    def parse(self) -> Expression:
        """Return the tree of the whole expression.

        Raises:
            ExpressionError: It is malformed or over a limit.
        """
        if self._token.kind == END:
            raise self._error("an empty {{ }}", hint="write a path such as input.email, or \\{{ for text")
        tree = self._expression(0)
        if self._token.kind != END:
            raise self._unexpected()
        return tree

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _is(self, operator: str) -> bool:
        return self._token.kind == OPERATOR and self._token.value == operator

    def _advance(self) -> Token:
        token = self._token
        self._at += 1
        return token

    def _expect(self, operator: str) -> None:
        if not self._is(operator):
            raise self._unexpected(f"{operator} is missing")
        self._advance()

    def _error(self, message: str, position: int | None = None, hint: str = "") -> ExpressionError:
        return ExpressionError(message, self._token.position if position is None else position, self._text, hint)

    def _unexpected(self, hint: str = "") -> ExpressionError:
        token = self._token
        if token.kind == END:
            return self._error("the expression ends too early", hint=hint)
        return self._error(f"unexpected {token.value[:20]!r}", hint=hint)

    def _count(self) -> None:
        self.nodes += 1
        if self.nodes > limits.MAX_EXPRESSION_NODES:
            raise self._error(f"more than {limits.MAX_EXPRESSION_NODES} parts in one expression", hint="split it")

    def _expression(self, floor: int) -> Expression:
        """Parse operators that bind tighter than `floor`."""
        self._depth += 1
        if self._depth > limits.MAX_DEPTH:
            raise self._error(f"more than {limits.MAX_DEPTH} levels inside one another", hint="split the expression")
        tree = self._operand()
        while (level := LEVELS.get(self._infix(), 0)) > floor:
            tree = self._chain(tree, level)
        self._depth -= 1
        return tree

    def _infix(self) -> str:
        """Return the operator that stands here between two operands, or an empty text."""
        token = self._token
        if token.kind == OPERATOR or (token.kind == NAME and token.value in _RESERVED):
            return token.value
        following = self._tokens[self._at + 1] if token.kind == NAME and token.value == "not" else token
        return "not in" if following is not token and following.value == "in" else ""

    def _chain(self, first: Expression, level: int) -> Expression:
        rest: list[tuple[str, int, Expression]] = []
        while LEVELS.get(operator := self._infix()) == level:
            if rest and level == COMPARISON:
                raise self._error("comparisons can't follow one another", hint="write a < b and b < c")
            position = self._token.position
            self._at += 2 if operator == "not in" else 1
            self._count()
            rest.append((operator, position, self._expression(level)))
        return Chain(first, tuple(rest), first.position)

    def _operand(self) -> Expression:
        token = self._token
        if token.kind == NAME and token.value == "not":
            self._advance()
            self._count()
            return Unary("not", self._expression(NOT), token.position)
        if self._is("-"):
            self._advance()
            self._count()
            return Unary("-", self._expression(PRODUCT), token.position)
        return self._steps(self._primary())

    def _primary(self) -> Expression:
        token = self._token
        self._count()
        if token.kind == NUMBER:
            return self._number()
        if token.kind == STRING:
            self._advance()
            return Literal(token.value, token.position)
        if token.kind == NAME:
            return self._name()
        if self._is("("):
            self._advance()
            tree = self._expression(0)
            self._expect(")")
            return tree
        if self._is("["):
            self._advance()
            return ListOf(self._items("]"), token.position)
        if self._is("{"):
            return self._object()
        raise self._unexpected("a value is missing here")

    def _number(self) -> Expression:
        token = self._advance()
        following = self._token
        if following.kind == NAME and following.position == token.position + len(token.value):
            raise self._error("a name can't begin with a digit", token.position, _HYPHEN_HINT)
        if self._is("."):
            raise self._error("a number has no fields", hint=_HYPHEN_HINT)
        value: Any = float(token.value) if set(token.value) & set(".eE") else None
        if len(token.value) > _MAX_NUMBER_CHARS or value in (float("inf"),):
            raise self._error("this number is too large", token.position)
        value = int(token.value) if value is None else value
        if isinstance(value, int) and value > limits.MAX_INTEGER:
            raise self._error("this number is too large", token.position, f"the largest is {limits.MAX_INTEGER}")
        return Literal(value, token.position)

    def _name(self) -> Expression:
        token = self._token
        if token.value in _RESERVED:
            raise self._unexpected("a value is missing before it")
        self._advance()
        if token.value in _CONSTANTS:
            return Literal(_CONSTANTS[token.value], token.position)
        if self._is("("):
            self._advance()
            return Call(token.value, self._items(")"), token.position)
        return Access(token.value, (), token.position)

    def _items(self, closing: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while not self._is(closing):
            items.append(self._expression(0))
            if not self._is(","):
                break
            self._advance()
        self._expect(closing)
        return tuple(items)

    def _object(self) -> Expression:
        position = self._advance().position
        entries: dict[str, Expression] = {}
        while not self._is("}"):
            key = self._token
            if key.kind not in (NAME, STRING):
                raise self._unexpected("an object is written {'key': value}")
            if key.value in entries:
                raise self._error(f"the key {key.value[:40]!r} is there twice")
            self._advance()
            self._expect(":")
            entries[key.value] = self._expression(0)
            if not self._is(","):
                break
            self._advance()
        self._expect("}")
        return ObjectOf(tuple(entries.items()), position)

    def _steps(self, base: Expression) -> Expression:
        steps: list[str | int | Expression] = []
        while self._is(".") or self._is("["):
            self._count()
            steps.append(self._key() if self._advance().value == "." else self._index())
        if not steps:
            return base
        if isinstance(base, Access):
            return Access(base.root, (*base.steps, *steps), base.position)
        return Select(base, tuple(steps), base.position)

    def _key(self) -> str:
        if self._token.kind == NUMBER:
            raise self._error("a list index is written in brackets", hint=f"write [{self._token.value[:20]}]")
        if self._token.kind != NAME:
            raise self._unexpected("the name of a field is missing behind the dot")
        return self._advance().value

    def _index(self) -> str | int | Expression:
        inner = self._expression(0)
        self._expect("]")
        match inner:
            case Literal(value=str() as key):
                return key
            case Literal(value=int() as number) if not isinstance(number, bool):
                return number
            case Unary(operator="-", operand=Literal(value=int() as number)) if not isinstance(number, bool):
                return -number
            case Literal():
                raise self._error("an index is a whole number or a text", inner.position)
            case _:
                return inner
