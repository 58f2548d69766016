"""Embeddings in records: `array('f')` in place of a list of floats, checked without looking at each number.

What a schema can say of a vector's numbers (that they are numbers) holds by its type; what remains depends on its
length alone, and one answer for each length is remembered.
"""

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jsonschema_rs import Draft202012Validator

_REMEMBERED = 1_000


class Vectors:
    """Checks objects that hold arrays as values of properties that the schema describes as arrays.

    Attributes:
        names: These properties.
    """

    def __init__(
        self,
        validator: Draft202012Validator,
        names: Sequence[str],
        without: Callable[[tuple[str, ...]], Draft202012Validator],
    ) -> None:
        """Make one.

        Args:
            validator: The whole schema.
            names: Properties of the value that the schema describes as arrays.
            without: Compiles the schema without what it says of some properties.
        """
        self.names = tuple(names)
        self._validator = validator
        self._without = without
        self._rest: dict[tuple[str, ...], Draft202012Validator] = {}
        self._verdicts: dict[tuple[str, str, int], bool] = {}

    def held(self, value: Any) -> tuple[str, ...]:
        """Which of the properties hold an array in this value."""
        if type(value) is not dict:
            return ()
        return tuple([name for name in self.names if type(value.get(name)) is array])

    def is_valid(self, value: Mapping[str, Any], held: tuple[str, ...]) -> bool:
        """True if the value, in which the properties `held` are arrays, satisfies the schema.

        Raises:
            ValueError: The value holds something else that is no JSON.
        """
        rest = {**value}
        for name in held:
            vector = rest[name]
            verdict = self._verdicts.get((name, vector.typecode, len(vector)))
            if not (self._judge(name, vector, value) if verdict is None else verdict):
                return False
            rest[name] = None
        if held not in self._rest:
            self._rest[held] = self._without(held)
        return self._rest[held].is_valid(rest)

    def _judge(self, name: str, vector: "array[Any]", value: Mapping[str, Any]) -> bool:
        stand_in = {**with_lists(value), name: [0.5 if vector.typecode in "fd" else 0] * len(vector)}
        verdict = all(error.instance_path[:1] != [name] for error in self._validator.iter_errors(stand_in))
        if len(self._verdicts) >= _REMEMBERED:
            self._verdicts.clear()
        self._verdicts[name, vector.typecode, len(vector)] = verdict
        return verdict


def with_lists(value: Any) -> Any:
    """The value with every array as a list; the value itself if there is none."""
    if isinstance(value, array):
        return value.tolist()
    if isinstance(value, Mapping):
        items = {key: with_lists(item) for key, item in value.items()}
        return items if any(items[key] is not item for key, item in value.items()) else value
    if isinstance(value, (list, tuple)):
        parts = [with_lists(item) for item in value]
        return parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
    return value
