"""Batches that wait on disk until what is needed to write them down is known."""

import pickle
import tempfile
from collections.abc import Iterator
from typing import Any

IN_MEMORY_BYTES = 1 << 22


class BatchSpool:
    """A list of batches of values, in a temporary file without a name once they are many.

    Attributes:
        count: Batches in it.
    """

    def __init__(self) -> None:
        self.count = 0
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES, prefix="lumeflow-")  # noqa: SIM115 - see close

    def add(self, batch: list[Any]) -> None:
        """Add a batch at the end."""
        pickle.dump(batch, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        self.count += 1

    def __iter__(self) -> Iterator[list[Any]]:
        """The batches, in order; none may be added any more."""
        self._file.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._file)  # noqa: S301 - our own unnamed file

    def close(self) -> None:
        """Free memory and disk."""
        self._file.close()
