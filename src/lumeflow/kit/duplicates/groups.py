"""Records that mean the same, as groups of ordinals."""

from array import array
from collections.abc import Sequence


class Groups:
    """Groups of records, each known by the ordinal of its first. Takes 16 bytes for each record."""

    def __init__(self) -> None:
        self._parents = array("q")
        self._sizes = array("q")

    def __len__(self) -> int:
        """How many records were added."""
        return len(self._parents)

    def add(self, earlier: Sequence[int]) -> None:
        """Add the next record, which means the same as these earlier ones, and so they all mean the same."""
        ordinal = len(self._parents)
        self._parents.append(ordinal)
        self._sizes.append(1)
        for other in earlier:
            self._join(self.first_of(ordinal), self.first_of(other))

    def leave_out(self) -> None:
        """Add the next record to no group: its size is 0."""
        self._parents.append(len(self._parents))
        self._sizes.append(0)

    def first_of(self, ordinal: int) -> int:
        """The first record of the group that a record is in."""
        parents = self._parents
        while parents[ordinal] != ordinal:
            parents[ordinal] = parents[parents[ordinal]]  # halves the way for the next one who asks
            ordinal = parents[ordinal]
        return ordinal

    def size_of(self, ordinal: int) -> int:
        """How many records are in the group that a record is in."""
        return self._sizes[self.first_of(ordinal)]

    def _join(self, one: int, other: int) -> None:
        if one != other:
            first, later = min(one, other), max(one, other)
            self._parents[later] = first
            self._sizes[first] += self._sizes[later]
