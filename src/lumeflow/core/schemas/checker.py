"""Checking values against one compiled schema, fast where they are right."""

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from lumeflow.core.pointer import Parts, pointer, step
from lumeflow.core.schemas.coerce import UNCHANGED, coerced, wanted_types
from lumeflow.core.schemas.problems import Problem, problem_of, shape_of
from lumeflow.core.schemas.vectors import Vectors, with_lists

MAX_PROBLEMS = 20
_ROUNDS = 4
"""A coercion may uncover another error behind it (an alternative of `anyOf`, say); more than a few never happen."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a value.

    Attributes:
        value: The value, coerced where that was needed; the one that was given if there are problems.
        coercions: How many values in it were brought to another type.
        problems: Why it does not satisfy the schema; empty if it does.
    """

    value: Any
    coercions: int = 0
    problems: tuple[Problem, ...] = ()


class Checker:
    """One schema, ready to check values. Immutable apart from caches; never changes a value that it is given."""

    __slots__ = ("_find_integral", "_passes", "_validator", "_vectors")

    def __init__(
        self,
        validator: Draft202012Validator,
        *,
        vectors: Vectors | None = None,
        find_integral: Callable[[Any, Parts], Iterator[Parts]] | None = None,
    ) -> None:
        """Make a checker.

        Args:
            validator: The compiled schema.
            vectors: Checks values that hold `array('f')` without turning these into lists; None if no property can.
            find_integral: Finds floats such as 42.0 where the schema wants an integer; None if it nowhere does.
        """
        self._validator = validator
        self._passes = validator.is_valid
        self._vectors = vectors
        self._find_integral = find_integral

    def is_valid(self, value: Any) -> bool:
        """True if the value satisfies the schema as it is, so that `check` has nothing to do."""
        held = self._vectors.held(value) if self._vectors else ()
        try:
            passes = self._vectors.is_valid(value, held) if self._vectors and held else self._passes(value)
        except ValueError:
            passes = self._passes_as_lists(value)
        return passes and (self._find_integral is None or next(self._find_integral(value, ()), None) is None)

    def check(self, value: Any) -> Checked:
        """Check a value; where it is wrong, try to mend it without loss."""
        if self.is_valid(value):
            return Checked(value)
        plain = with_lists(value)
        try:
            return self._mend(value, plain)
        except ValueError:
            return Checked(value, 0, (_not_json(plain),))

    def _passes_as_lists(self, value: Any) -> bool:
        try:
            return self._passes(with_lists(value))
        except ValueError:
            return False

    def _mend(self, original: Any, plain: Any) -> Checked:
        """Coerce until the value passes or nothing more can be coerced."""
        patch = Patch(plain)
        if self._find_integral is not None:
            for at in list(self._find_integral(plain, ())):
                patch.coerce(at, ("integer",))
        for _ in range(_ROUNDS):
            before = patch.count
            for error in islice(self._validator.iter_errors(patch.value), MAX_PROBLEMS * 5):
                patch.coerce(tuple(error.instance_path), tuple(wanted_types(error)))
            if patch.count == before:
                break
        errors = list(islice(self._validator.iter_errors(patch.value), MAX_PROBLEMS))
        if errors:
            problems = dict.fromkeys(_problem(error, patch.value) for error in errors)
            return Checked(original, 0, tuple(problems))
        return Checked(_restored(patch.value, plain, original), patch.count)


class Patch:
    """Changes to a value that leave the value itself alone: what lies on the way to a change is copied, once."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.count = 0
        self._copied: set[int] = set()

    def coerce(self, at: Parts, types: tuple[str, ...]) -> None:
        """Coerce what lies at `at` to one of these types, if that loses nothing."""
        if not types:
            return
        new = coerced(_lookup(self.value, at), types)
        if new is not UNCHANGED:
            self._put(at, new)
            self.count += 1

    def _put(self, at: Parts, new: Any) -> None:
        if not at:
            self.value = new
            return
        self.value = holder = self._own(self.value)
        for part in at[:-1]:
            holder[part] = self._own(holder[part])
            holder = holder[part]
        holder[at[-1]] = new

    def _own(self, container: Any) -> Any:
        if id(container) in self._copied:
            return container
        copy = dict(container) if isinstance(container, Mapping) else list(container)
        self._copied.add(id(copy))
        return copy


def _lookup(value: Any, at: Parts) -> Any:
    for part in at:
        value = step(value, part)
    return value


def _problem(error: ValidationError, value: Any) -> Problem:
    return problem_of(error, _lookup(value, tuple(error.instance_path)))


def _restored(value: Any, plain: Any, original: Any) -> Any:
    """The mended value with its arrays as they were, where nothing in them was changed."""
    if plain is original:
        return value
    if isinstance(original, array):
        return original if value is plain else value
    if isinstance(original, Mapping):
        return {key: _restored(item, plain.get(key), original[key]) if key in original else item
                for key, item in value.items()}  # fmt: skip
    if isinstance(original, list):
        return [_restored(item, plain[index], original[index]) for index, item in enumerate(value)]
    return value


def _not_json(value: Any) -> Problem:
    at, found = next(_foreign(value, ()), ((), value))
    return Problem(pointer(at), "a JSON value", shape_of(found))


def _foreign(value: Any, at: Parts) -> Iterator[tuple[Parts, Any]]:
    """What no JSON text could hold: other types, keys that are no strings."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _foreign(item, (*at, key))
            else:
                yield at, key
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _foreign(item, (*at, index))
    elif value is not None and not isinstance(value, (str, bool, int, float)):
        yield at, value
