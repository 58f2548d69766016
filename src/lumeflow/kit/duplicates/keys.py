"""Keys by which records are compared."""

import unicodedata
from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import orjson

from lumeflow.kit.text import is_blank
from lumeflow.plugin import MISSING, JsonObject, Path

DIGEST_BYTES = 16
"""Of two different keys among a billion, the chance to have one digest is below one in 10^20."""


def key_text(value: Any, *, match_case: bool = False) -> str:
    """A value as text that is equal for equal values; empty for none.

    Spaces at the ends and their number within make no difference, nor whether a number is written as a text, nor
    capitals unless `match_case` is set.
    """
    if isinstance(value, str):
        text = " ".join(value.split())
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        return text if match_case else text.casefold()
    if value is MISSING or is_blank(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return orjson.dumps(value, default=_listed, option=orjson.OPT_SORT_KEYS).decode()


def digest_of_all(record: JsonObject, keys: Sequence[Path], *, match_case: bool) -> bytes | None:
    """Digest of all key fields of a record together; None if it lacks one of them."""
    if len(keys) == 1:
        text = key_text(keys[0].get(record), match_case=match_case)
        return _digest(text) if text else None
    return digest_of_values([key.get(record) for key in keys], match_case=match_case)


def digest_of_values(values: Sequence[Any], *, match_case: bool) -> bytes | None:
    """Digest of values together; None if one of them is blank."""
    texts = [key_text(value, match_case=match_case) for value in values]
    return _digest("\x1f".join(texts)) if all(texts) else None


def digests_of_each(record: JsonObject, keys: Sequence[Path], *, match_case: bool) -> list[bytes]:
    """Digests of those key fields that a record has."""
    texts = ((place, key_text(key.get(record), match_case=match_case)) for place, key in enumerate(keys))
    return [_digest(f"{place}\x1f{text}") for place, text in texts if text]


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()


def _listed(value: Any) -> Any:
    if isinstance(value, array):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")
