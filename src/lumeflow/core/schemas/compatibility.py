"""Does what one schema promises satisfy what another requires?

A promise satisfies a requirement if every value that the promise allows is allowed by the requirement, as far as types,
required properties, enums, constants, array items and formats tell. Where the promise says nothing (no type, a property
that an open object does not name) nothing is concluded; keywords that are not compared count as satisfied.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

import orjson

from lumeflow.core.schemas.keywords import Schema
from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.views import Conjunction, View, name_types, type_of

_MAX_COMBINATIONS = 64
_MAX_DEPTH = 60
"""Deepest nesting that is compared; below, promises count as kept."""
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
    """Compares schemas of one document. What was found for two schemas is remembered."""

    def __init__(self, library: SchemaLibrary) -> None:
        self._library = library
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[Mismatch, ...]] = {}
        self._depth = 0

    def mismatches(self, promise: Schema, requirement: Schema) -> tuple[Mismatch, ...]:
        """All ways in which `promise` falls short of `requirement`; empty if it satisfies it."""
        return self._compare((promise,), (requirement,))

    def _compare(self, promise: Conjunction, requirement: Conjunction) -> tuple[Mismatch, ...]:
        key = (tuple(map(id, promise)), tuple(map(id, requirement)))
        if key not in self._known and self._depth < _MAX_DEPTH:
            self._known[key] = ()  # whoever comes back here by a recursive schema may assume that it holds
            self._depth += 1
            self._known[key] = tuple(dict.fromkeys(self._found(promise, requirement)))
            self._depth -= 1
        return self._known.get(key, ())

    def _found(self, promise: Conjunction, requirement: Conjunction) -> list[Mismatch]:
        """What the first of the promise's alternatives that falls short lacks."""
        promised, required = self._library.view(promise), self._library.view(requirement)
        if promised.never:
            return []
        for alternative in self._alternatives(promised):
            found = list(self._against(alternative, required))
            if found:
                return found
        return []

    def _alternatives(self, view: View) -> list[View]:
        """What a promise with choices comes down to, one view for each combination; none if there are too many."""
        if not view.choices:
            return [view]
        if prod(len(choice) for choice in view.choices) > _MAX_COMBINATIONS:
            return []
        views = [self._library.view((*view.layers, *chosen)) for chosen in product(*view.choices)]
        return [each for each in views if not each.never and not each.choices]

    def _against(self, promised: View, required: View) -> Iterator[Mismatch]:
        if required.never:
            yield Mismatch("", "a value", "none")
            return
        wrong = _types(promised, required)
        if wrong:
            yield wrong
            return
        yield from _values(promised, required)
        yield from _formats(promised, required)
        if _allows(promised, "object"):
            yield from self._objects(promised, required)
        if _allows(promised, "array") and promised.items and required.items:
            yield from _below("[]", self._compare(promised.items, required.items))
        for choice in required.choices:
            yield from self._any_of(promised, choice)

    def _any_of(self, promised: View, choice: tuple[Schema, ...]) -> tuple[Mismatch, ...]:
        """The promise must satisfy one of the alternatives; the one that it comes nearest to is reported."""
        outcomes = [self._compare(promised.layers, (alternative,)) for alternative in choice]
        return min(outcomes, key=lambda found: (any(each.serious for each in found), len(found)))

    def _objects(self, promised: View, required: View) -> Iterator[Mismatch]:
        for name in sorted(required.required - promised.required):
            yield Mismatch(name, "optional" if name in promised.properties else "not promised", "required")
        for name in dict.fromkeys((*required.properties, *promised.properties)):
            yield from _below(name, self._property(promised, required, name))

    def _property(self, promised: View, required: View, name: str) -> tuple[Mismatch, ...]:
        offered = promised.property(name)
        if not offered or self._library.view(offered).never:
            return ()
        wanted = required.property(name)
        if wanted is None:
            return (Mismatch("", "may be there", "not accepted"),)
        return self._compare(offered, wanted) if wanted else ()


def _below(step: str, mismatches: Iterable[Mismatch]) -> Iterator[Mismatch]:
    for each in mismatches:
        dot = "." if each.path and not each.path.startswith("[") else ""
        yield replace(each, path=f"{step}{dot}{each.path}")


def _allows(view: View, kind: str) -> bool:
    if view.types is not None:
        return kind in view.types
    return bool(view.properties or view.required) if kind == "object" else bool(view.items)


def _types(promised: View, required: View) -> Mismatch | None:
    if promised.types is None or required.types is None or promised.types <= required.types:
        return None
    return Mismatch("", name_types(promised.types), name_types(required.types))


def _values(promised: View, required: View) -> Iterator[Mismatch]:
    if required.enum is None:
        return
    wanted = _quoted(required.enum)
    if promised.enum is None:
        if promised.types is not None:
            yield Mismatch("", f"any {name_types(promised.types)}", wanted)
        return
    extra = [value for value in promised.enum if not _listed(value, required.enum)]
    if extra:
        yield Mismatch("", _quoted(tuple(extra)), wanted)


def _formats(promised: View, required: View) -> Iterator[Mismatch]:
    if not _allows(promised, "string") or promised.enum is not None:
        return
    for name in sorted(required.formats - promised.formats):
        if promised.formats:
            yield Mismatch("", f"format {', '.join(sorted(promised.formats))}", f"format {name}")
        else:
            yield Mismatch("", "any string", f"format {name}", serious=False)


def _quoted(values: tuple[Any, ...]) -> str:
    shown = [orjson.dumps(value).decode() for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        return f"{', '.join(shown)} or {len(values) - _SHOWN} more"
    return " or ".join(shown)


def _listed(value: Any, values: tuple[Any, ...]) -> bool:
    return any(value == other and type_of(value) == type_of(other) for other in values)
