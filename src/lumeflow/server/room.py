"""Memory for bodies that are on their way: so much in all, and of that nobody takes more than half."""

FREE = 65_536
"""Bytes of each body that are not counted: there is a number of connections."""


class Room:
    """How much of it is taken, and by whom.

    Args:
        size: Bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._by: dict[str, int] = {}

    def take(self, owner: str, size: int) -> bool:
        """Take so many bytes more; False if there is no room for them."""
        theirs = self._by.get(owner, 0) + size
        if theirs > self._size // 2 or self._taken + size > self._size:
            return False
        self._by[owner] = theirs
        self._taken += size
        return True

    def give_back(self, owner: str, size: int) -> None:
        """Give bytes back that were taken."""
        left = self._by.pop(owner, 0) - size
        if left > 0:
            self._by[owner] = left
        self._taken -= size
