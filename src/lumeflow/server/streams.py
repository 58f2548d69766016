"""Live streams are held open: each key has a number of them."""

from http import HTTPStatus

from lumeflow.server.problems import Problem


class Streams:
    """How many live streams each key has.

    Args:
        most: Of one key at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def enter(self, key_id: str) -> None:
        """One more.

        Raises:
            Problem: There are enough.
        """
        count = self._open.get(key_id, 0)
        if count >= self._most:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-streams",
                f"this key watches {count} executions already: end one of these streams first",
                headers={"Retry-After": "5"},
            )
        self._open[key_id] = count + 1

    def leave(self, key_id: str) -> None:
        """One less."""
        count = self._open.pop(key_id, 1) - 1
        if count > 0:
            self._open[key_id] = count
