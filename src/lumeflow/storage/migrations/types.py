"""How each database spells the types of a migration. Released migrations depend on it: never change an entry."""

import re
from collections.abc import Mapping
from enum import StrEnum


class Kind(StrEnum):
    """The databases that there are."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"


SPELLINGS: Mapping[Kind, Mapping[str, str]] = {
    Kind.SQLITE: {
        "bool": "BOOLEAN",
        "bytes": "BLOB",
        "counter": "INTEGER PRIMARY KEY",
        "false": "0",
        "floats": "FLOAT32 BLOB",
        "int": "INTEGER",
        "json": "JSON TEXT",
        "money": "DECIMAL TEXT",
        "time": "TIMESTAMP TEXT",
        "true": "1",
        "unrowed": " WITHOUT ROWID",
        "zero": "'0'",
    },
    Kind.POSTGRES: {
        "bool": "BOOLEAN",
        "bytes": "BYTEA",
        "counter": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "false": "FALSE",
        "floats": "BYTEA",
        "int": "BIGINT",
        "json": "JSON",
        "money": "NUMERIC",
        "time": "TIMESTAMPTZ",
        "true": "TRUE",
        "unrowed": "",
        "zero": "0",
    },
}


_TEXT = re.compile(r"\bTEXT\b")


def spell(statement: str, kind: Kind) -> str:
    """The statement with its `{types}` as this database spells them; text is ordered by code points on both."""
    spelled = statement.format(**SPELLINGS[kind])
    return _TEXT.sub('TEXT COLLATE "C"', spelled) if kind is Kind.POSTGRES else spelled
