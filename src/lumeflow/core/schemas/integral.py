"""Finding floats such as 42.0 where a schema wants an integer.

JSON Schema calls 42.0 an integer, so validation lets it pass; but what follows (a text, a column, a provider) would see
`42.0`. The search is compiled from the schema and goes only where integers can be: most schemas have none.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lumeflow.core.pointer import Parts
from lumeflow.core.schemas.coerce import INTEGER_LIMIT
from lumeflow.core.schemas.library import SchemaLibrary
from lumeflow.core.schemas.views import Conjunction, View

_MAX_DEPTH = 60
"""Deepest place that is searched."""

Finder = Callable[[Any, Parts], Iterator[Parts]]


class _Search:
    """The places below one place where an integer is wanted."""

    def __init__(self) -> None:
        self.here = False
        self.properties: dict[str, _Search] = {}
        self.items: _Search | None = None
        self.useful = False

    def __call__(self, value: Any, at: Parts) -> Iterator[Parts]:
        if self.here and type(value) is float:
            if value.is_integer() and abs(value) < INTEGER_LIMIT:
                yield at
        elif isinstance(value, Mapping):
            for name, search in self.properties.items():
                if name in value:
                    yield from search(value[name], (*at, name))
        elif self.items is not None and isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.items(item, (*at, index))


def integral_finder(library: SchemaLibrary, schemas: Conjunction) -> Finder | None:
    """Compile the search for a schema; None if it wants no integer anywhere."""
    made: dict[tuple[tuple[int, ...], ...], _Search] = {}
    root = _compile(library, schemas, made)
    _mark_useful(list(made.values()))
    _prune(list(made.values()))
    return root if root.useful else None


def _compile(library: SchemaLibrary, schemas: Conjunction, made: dict[Any, _Search], depth: int = 0) -> _Search:
    key = tuple(map(id, schemas))
    if key in made:
        return made[key]
    made[key] = search = _Search()
    view: View = library.view(schemas)
    search.here = _wants_integer(library, view)
    if depth > _MAX_DEPTH:
        return search
    for name, inner in view.properties.items():
        search.properties[name] = _compile(library, inner, made, depth + 1)
    if view.items:
        search.items = _compile(library, view.items, made, depth + 1)
    return search


def _wants_integer(library: SchemaLibrary, view: View) -> bool:
    """True if integers are allowed and other numbers are not; a choice counts if all its alternatives name types."""
    said = [view.types]
    for choice in view.choices:
        types = [library.view((alternative,)).types for alternative in choice]
        said.append(frozenset().union(*(each for each in types if each is not None)) if None not in types else None)
    return any(types is not None and "integer" in types and "fraction" not in types for types in said)


def _mark_useful(searches: list[_Search]) -> None:
    """Spread usefulness upwards until nothing changes: schemas may be recursive."""
    changed = True
    while changed:
        changed = False
        for search in searches:
            below = [*search.properties.values(), *([search.items] if search.items else [])]
            if not search.useful and (search.here or any(each.useful for each in below)):
                search.useful = changed = True


def _prune(searches: list[_Search]) -> None:
    for search in searches:
        search.properties = {name: each for name, each in search.properties.items() if each.useful}
        if search.items is not None and not search.items.useful:
            search.items = None
