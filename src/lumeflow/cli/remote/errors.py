"""What goes wrong between the command line and a server."""

from lumeflow.core.errors import LumeflowError, UsageError


class ServerError(LumeflowError):
    """The server cannot be reached, cannot work, or answers what cannot be understood."""


class ConnectionCut(ServerError):
    """The connection was there and broke, or could not be made: it may be there again in a moment.

    Attributes:
        was_sent: True if the server may have seen the request.
    """

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class Busy(ServerError):
    """The server asks to come back later.

    Attributes:
        seconds: After so many seconds.
        code: Name of the kind of problem.
    """

    def __init__(self, message: str, *, seconds: float, code: str) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.code = code


class Refused(UsageError):
    """The server does not do what was asked for, now or later.

    Attributes:
        status: The HTTP status.
        code: Name of the kind of problem, such as `not-found`.
    """

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
