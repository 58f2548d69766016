"""Queries that the operator has named: a file each, one SELECT, its values bound, never written into the text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean
from lumeflow.storage.catalog import TENANT

_KEY = re.compile(r"^--\s*key:(.*)$", re.MULTILINE | re.IGNORECASE)
_TOKENS = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | ::\w+ | (?P<end>;) | :(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
"""Texts, quoted names, comments and casts, in which : and ; mean nothing, and those that mean something."""


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query of the operator's.

    Attributes:
        name: By which workflows call it.
        sql: One SELECT without a semicolon at its end; parameters as `:name`.
        params: Names of its parameters, each once, in the order of their first mention.
        key: Columns of its result that put the rows in order; empty if the file names none.
    """

    name: str
    sql: str
    params: Sequence[str]
    key: Sequence[str]

    @classmethod
    def read(cls, name: str, text: str) -> "NamedQuery":
        """Read a query file.

        Raises:
            UsageError: It is not one SELECT.
        """
        sql = text.strip().lstrip("\ufeff")
        marks = [match for match in _TOKENS.finditer(sql) if match["end"] or match["name"]]
        ends = [match.start() for match in marks if match["end"]]
        rest = _without_comments(sql[ends[0] + 1 :]) if ends else ""
        body = sql[: ends[0]] if ends else sql
        if rest.strip():
            raise UsageError(f"named query '{name}': it holds more than one statement")
        if not re.match(r"(select|with|values)\b", _without_comments(body).strip(), re.IGNORECASE):
            raise UsageError(f"named query '{name}': it must be a SELECT")
        key = [part.strip() for match in _KEY.finditer(sql) for part in match[1].split(",") if part.strip()]
        return cls(name, body, list(dict.fromkeys(match["name"] for match in marks if match["name"])), key)

    def positional(self) -> tuple[str, list[str]]:
        """Its SQL with `?` for each parameter, and the names of these in order."""
        names: list[str] = []

        def placed(match: re.Match[str]) -> str:
            if not match["name"]:
                return match[0]
            names.append(match["name"])
            return "?"

        return _TOKENS.sub(placed, self.sql), names

    def bound(self, params: Mapping[str, Any], tenant: str) -> dict[str, Any]:
        """Its parameters' values; `:tenant` is the tenant's name and cannot be given.

        Raises:
            UsageError: One is missing, unknown, or neither text, number, boolean nor null.
        """
        wanted = [name for name in self.params if name != TENANT]
        for name in params:
            if name not in wanted:
                hint = did_you_mean(name, wanted) if wanted else " It has none."
                raise UsageError(f"query '{self.name}' has no parameter '{name}'.{hint}")
        for name in wanted:
            if name not in params:
                raise UsageError(f"query '{self.name}' needs the parameter '{name}'")
            if not isinstance(params[name], str | int | float | None):
                raise UsageError(f"query '{self.name}': parameter '{name}' must be a text, a number, a boolean or null")
        return {**params, TENANT: tenant}


def load_named_queries(folder: Path | None) -> Mapping[str, NamedQuery]:
    """The queries of a folder: `leads-of-owner.sql` is called `leads-of-owner`.

    Raises:
        UsageError: The folder or a file in it cannot be read, or is no query.
    """
    if folder is None:
        return {}
    if not folder.is_dir():
        raise UsageError(f"the folder of named queries, {folder}, is not there")
    try:
        texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the folder of named queries, {folder}: a file cannot be read: {error}") from error
    return {name: NamedQuery.read(name, text) for name, text in texts.items()}


def _without_comments(sql: str) -> str:
    return _TOKENS.sub(lambda match: " " if match[0].startswith(("--", "/*")) else match[0], sql)
