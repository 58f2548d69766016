"""Can a path lead anywhere in a value that satisfies a schema?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.views import Conjunction, View, name_types

_MAX_ALTERNATIVES = 64


@dataclass(frozen=True, slots=True)
class DeadEnd:
    """A path leads nowhere, or to a property that no schema names.

    Attributes:
        index: The part of the path at which it ends.
        reason: What is there instead.
        known: Properties that are known there.
        possible: True if the schema is open: the property may be there, though nothing says so.
    """

    index: int
    reason: str
    known: tuple[str, ...] = ()
    possible: bool = False


def dead_end(library: SchemaLibrary, schemas: Conjunction, parts: Sequence[str | int]) -> DeadEnd | None:
    """Where a path ends in a value that satisfies `schemas`; None if it leads to something that they name, or may lead
    anywhere because they say nothing there.
    """
    places = _expanded(library, [schemas])
    for index, part in enumerate(parts):
        ends = [_step(view, part, index) for view in places]
        onward = [end for end in ends if isinstance(end, tuple)]
        if not onward:
            found = [end for end in ends if isinstance(end, DeadEnd)]
            return min(found, key=lambda end: not end.possible, default=None)
        if any(not step for step in onward):
            return None
        places = _expanded(library, onward)
    return None


def _expanded(library: SchemaLibrary, conjunctions: Iterable[Conjunction]) -> list[View]:
    """The views of what may be there, the alternatives of `anyOf` and `oneOf` each for itself."""
    views: list[View] = []
    pending = [library.view(each) for each in conjunctions]
    while pending and len(views) + len(pending) <= _MAX_ALTERNATIVES:
        view = pending.pop()
        if not view.choices:
            views.append(view)
            continue
        first, *others = view.choices
        rest = [{"anyOf": list(choice)} for choice in others]
        pending.extend(library.view((*view.layers, *rest, alternative)) for alternative in first)
    return [view for view in (*views, *pending) if not view.never]


def _step(view: View, part: str | int, index: int) -> Conjunction | DeadEnd:
    """What is said of the next place; nothing at all (an empty conjunction) if it may be anything."""
    wanted = "array" if isinstance(part, int) else "object"
    if view.types is not None and wanted not in view.types:
        return DeadEnd(index, name_types(view.types))
    if isinstance(part, int):
        return view.items
    known = tuple(view.properties)
    said = view.property(part)
    if said is None:
        return DeadEnd(index, "an object without it", known)
    if not said and known and part not in view.properties:
        return DeadEnd(index, "an object that does not name it", known, possible=True)
    return said
