"""A text that must never be seen: API keys, tokens, passwords."""

from typing import Any, Never

_MASK = "***"


class Secret:
    """Holds a secret text so that showing, logging or serialising it by accident gives `***` or an error.

    Two secrets are equal only if they are the same object, so that a comparison tells nothing about the text.
    """

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself; call this only where a request is signed or sent."""
        return self.__text

    def __repr__(self) -> str:
        return _MASK

    def __str__(self) -> str:
        return _MASK

    def __format__(self, specification: str) -> str:
        return _MASK

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a secret can't be pickled: pass its name and look it up on the other side")
