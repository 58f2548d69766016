"""Does what one schema promises satisfy what another requires?

A promise satisfies a requirement if every value that the promise allows is allowed by the requirement, as far as types,
required properties, enums, constants, array items and formats tell. Where the promise says nothing (no type, a property
that an open object does not name) nothing is concluded; keywords that are not compared count as satisfied.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import orjson

from lumeflow.core.schemas.keywords import Schema
from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.views import Conjunction, View, name_types, type_of

_MAX_COMBINATIONS = 64
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One way in which a promise falls short.

    Attributes:
        path: The place in the value, as people write it: `contacts[].email`; empty for the value itself.
        promised: What the promise says of it.
        required: What the requirement asks.
        serious: False if the promise may well be kept, but is not made (a format that is not named).
    """

    path: str
    promised: str
    required: str
    serious: bool = True


class Comparison:
    """Compares schemas of one document."""

    def __init__(self, library: SchemaLibrary) -> None:
        self._library = library
        self._assumed: set[tuple[tuple[int, ...], tuple[int, ...]]] = set()
        self._known: dict[tuple[int, int], tuple[Mismatch, ...]] = {}

    def mismatches(self, promise: Schema, requirement: Schema) -> tuple[Mismatch, ...]:
        """All ways in which `promise` falls short of `requirement`; empty if it satisfies it."""
        key = (id(promise), id(requirement))
        if key not in self._known:
            self._assumed.clear()
            self._known[key] = tuple(dict.fromkeys(self._compare((promise,), (requirement,), "")))
        return self._known[key]

    def _compare(self, promise: Conjunction, requirement: Conjunction, path: str) -> Iterator[Mismatch]:
        key = (tuple(map(id, promise)), tuple(map(id, requirement)))
        if key in self._assumed or key[0] == key[1]:
            return
        self._assumed.add(key)
        promised = self._library.view(promise)
        if promised.never:
            return
        for alternative in self._alternatives(promised):
            found = list(self._against(alternative, self._library.view(requirement), path))
            if found:
                yield from found
                return

    def _alternatives(self, view: View) -> list[View]:
        """What a promise with choices comes down to, one view for each combination."""
        combinations = 1
        for choice in view.choices:
            combinations *= len(choice)
        if not view.choices:
            return [view]
        if combinations > _MAX_COMBINATIONS:
            return []
        views = [self._library.view((*view.layers, *chosen)) for chosen in product(*view.choices)]
        return [inner for each in views if not each.never for inner in ([each] if not each.choices else [])]

    def _against(self, promised: View, required: View, path: str) -> Iterator[Mismatch]:
        if required.never:
            yield Mismatch(path, "a value", "none")
            return
        wrong = _types(promised, required, path)
        if wrong:
            yield wrong
            return
        yield from _values(promised, required, path)
        yield from _formats(promised, required, path)
        if _allows(promised, "object"):
            yield from self._objects(promised, required, path)
        if _allows(promised, "array") and promised.items and required.items:
            yield from self._compare(promised.items, required.items, f"{path}[]")
        for choice in required.choices:
            yield from self._any_of(promised, choice, path)

    def _any_of(self, promised: View, choice: tuple[Schema, ...], path: str) -> Iterator[Mismatch]:
        """The promise must satisfy one of the alternatives; the one that it comes nearest to is reported."""
        closest: list[Mismatch] | None = None
        for alternative in choice:
            found = list(self._compare(promised.layers, (alternative,), path))
            if not any(mismatch.serious for mismatch in found):
                yield from found
                return
            if closest is None or len(found) < len(closest):
                closest = found
        yield from closest or ()

    def _objects(self, promised: View, required: View, path: str) -> Iterator[Mismatch]:
        for name in sorted(required.required):
            if name not in promised.required:
                said = "optional" if name in promised.properties else "not promised"
                yield Mismatch(_below(path, name), said, "required")
        for name in required.properties:
            yield from self._property(promised, required, name, path)
        for name, schemas in promised.properties.items():
            if name not in required.properties and not self._library.view(schemas).never:
                yield from self._property(promised, required, name, path)

    def _property(self, promised: View, required: View, name: str, path: str) -> Iterator[Mismatch]:
        offered = promised.property(name)
        if not offered:
            return
        wanted = required.property(name)
        if wanted is None:
            yield Mismatch(_below(path, name), "may be there", "not accepted")
        elif wanted:
            yield from self._compare(offered, wanted, _below(path, name))


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _allows(view: View, kind: str) -> bool:
    if view.types is not None:
        return kind in view.types
    return bool(view.properties or view.required) if kind == "object" else bool(view.items)


def _types(promised: View, required: View, path: str) -> Mismatch | None:
    if promised.types is None or required.types is None or promised.types <= required.types:
        return None
    return Mismatch(path, name_types(promised.types), name_types(required.types))


def _values(promised: View, required: View, path: str) -> Iterator[Mismatch]:
    if required.enum is None:
        return
    wanted = _quoted(required.enum)
    if promised.enum is None:
        if promised.types is not None:
            yield Mismatch(path, f"any {name_types(promised.types)}", wanted)
        return
    extra = [value for value in promised.enum if not _listed(value, required.enum)]
    if extra:
        yield Mismatch(path, _quoted(tuple(extra)), wanted)


def _formats(promised: View, required: View, path: str) -> Iterator[Mismatch]:
    if not _allows(promised, "string") or promised.enum is not None:
        return
    for name in sorted(required.formats - promised.formats):
        if promised.formats:
            yield Mismatch(path, f"format {', '.join(sorted(promised.formats))}", f"format {name}")
        else:
            yield Mismatch(path, "any string", f"format {name}", serious=False)


def _quoted(values: tuple[Any, ...]) -> str:
    shown = [orjson.dumps(value).decode() for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        return f"{', '.join(shown)} or {len(values) - _SHOWN} more"
    return " or ".join(shown)


def _listed(value: Any, values: tuple[Any, ...]) -> bool:
    return any(value == other and type_of(value) == type_of(other) for other in values)
