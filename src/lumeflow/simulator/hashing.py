"""Everything that the simulator invents follows from a seed and the names of things, by one fast hash."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_SEPARATOR = "\x1f"


def hashed(seed: int, *parts: str) -> int:
    """A 384-bit number that follows from `seed` and `parts` alone, in every process and on every machine."""
    text = f"{seed}{_SEPARATOR}{_SEPARATOR.join(parts)}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=48).digest(), "little")


def token(seed: int, length: int, *parts: str) -> str:
    """An id of `length` letters and digits, as vendors use for runs and records."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    rest = hashed(seed, *parts)
    letters = []
    for _ in range(length):
        rest, index = divmod(rest, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)


def hex_id(seed: int, *parts: str) -> str:
    """An id of 24 hexadecimal digits, as document databases make them."""
    return f"{hashed(seed, *parts) & (1 << 96) - 1:024x}"


class Dice:
    """Draws choices one after the other out of one hash; about 28 of them before the hash is used up."""

    __slots__ = ("_rest",)

    def __init__(self, seed: int, *parts: str) -> None:
        self._rest = hashed(seed, *parts)

    def below(self, bound: int) -> int:
        """An integer from 0 to `bound` - 1."""
        self._rest, drawn = divmod(self._rest, bound)
        return drawn

    def chance(self, share: float) -> bool:
        """True in `share` (0 to 1) of all cases, to a hundredth of a percent."""
        self._rest, drawn = divmod(self._rest, 10_000)
        return drawn < share * 10_000

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`."""
        self._rest, index = divmod(self._rest, len(options))
        return options[index]
