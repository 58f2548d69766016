"""Addresses as templates: what a record puts into one can change no other part of it than its own."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from lumeflow.kit.text import is_blank
from lumeflow.plugin import ErrorClass, RecordError, Template, compile_template, template_pieces

Render = Callable[[Template], Any]

_START = re.compile(r"https?://", re.IGNORECASE)
_HOST_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_FROM_RECORDS = frozenset({"input", "nodes", "trigger", "workflow"})
_BAD_CHARACTER = re.compile(r"[\x00-\x20\x7f\\\"<>^`{|}]")


class _Part(NamedTuple):
    """Literal text, or an expression with the way in which its value is put in."""

    text: str
    template: Template | None = None
    inside: str = ""


class Address:
    """A URL with expressions.

    A value in the path or the query is encoded, so that it stays one segment or one value. A value in the host may be a
    name or a part of one. Only an expression that stands at the very beginning may bring scheme and host along.

    Args:
        source: `https://api.example.com/people/{{input.id}}`.

    Attributes:
        host: Scheme, host and port as they are written; None if expressions have a part in them.
        host_from_records: True if what stands in records decides which host is called.

    Raises:
        ValueError: It cannot become an address.
        ExpressionError: An expression is wrong.
    """

    def __init__(self, source: str) -> None:
        self._parts: list[_Part] = []
        self.host_from_records = False
        position = "start"
        for piece in template_pieces(source):
            if not piece.is_expression:
                self._parts.append(_Part(piece.text))
                position = _after(position, piece.text)
                continue
            template = compile_template(piece.text)
            if template.secrets:
                raise ValueError("an address ends up in logs: put secrets into auth")
            self._parts.append(_Part(piece.text, template, position))
            if position in ("start", "host", "base"):
                self.host_from_records |= any(each.root in _FROM_RECORDS for each in template.references)
            position = "base" if position == "start" else position
        self.host = self._literal_host()

    def render(self, rendered: Render) -> str:
        """The address for a record; `rendered` gives a template's value.

        Raises:
            RecordError: A value is missing, or can't stand where it is.
        """
        return "".join(
            part.text if part.template is None else _value(part.text, part.inside, rendered(part.template))
            for part in self._parts
        )

    def _literal_host(self) -> str | None:
        """Check the beginning, as far as it is written out."""
        if not self._parts:
            raise ValueError("the address is empty")
        first = self._parts[0]
        if first.template is not None:
            return None
        if not _START.match(first.text):
            raise ValueError("the address must begin with http:// or https://")
        whole = len(self._parts) == 1 or re.search(r"[/?#]", first.text.partition("://")[2]) is not None
        if not whole:
            return None
        try:
            parts = urlsplit(first.text)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"the address is not a URL: {error}") from None
        if not parts.hostname:
            raise ValueError("the address names no host")
        if "@" in parts.netloc:
            raise ValueError("the address must hold no user name or password: put them into auth")
        if _BAD_CHARACTER.search(first.text):
            raise ValueError("the address holds a space or another character that must be encoded")
        return f"{parts.scheme}://{parts.netloc}"


def _after(position: str, literal: str) -> str:
    """Where in the address one is behind a literal text."""
    if position == "start":
        literal = literal.partition("://")[2] if "://" in literal else literal
        return "path" if re.search(r"[/?#]", literal) else "host"
    if position in ("host", "base"):
        return "path" if re.search(r"[/?#]", literal) else position
    return position


def _value(expression: str, inside: str, value: Any) -> str:
    if is_blank(value) or isinstance(value, dict | list):
        raise RecordError(
            ErrorClass.VALIDATION, f"the address needs a text or a number for {expression}, found none", field="url"
        )
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if inside == "start":
        if not _START.match(text) or _BAD_CHARACTER.search(text):
            raise RecordError(
                ErrorClass.VALIDATION, f"{expression} begins the address and gives no http or https URL", field="url"
            )
        return text
    if inside in ("host", "base"):
        if not _HOST_PART.fullmatch(text):
            raise RecordError(ErrorClass.VALIDATION, f"{expression} gives no host name", field="url")
        return text
    if text in (".", ".."):
        raise RecordError(ErrorClass.VALIDATION, f"{expression} would change the path of the address", field="url")
    return quote(text, safe="")
