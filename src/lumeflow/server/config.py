"""How the API is served: sizes, rates, times, who may call from a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumeflow.core.errors import UsageError

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Settings of one server.

    Attributes:
        host: Address to listen at.
        port: Port; 0 chooses a free one.
        body_limit: Bytes of a request's body, uploads apart.
        document_limit: Bytes of a workflow's document: a large one takes long to check, and all others wait meanwhile.
        upload_limit: Bytes of an upload.
        rate: Requests of one key in a minute.
        burst: Requests that a key may make at once.
        strangers: Requests without a valid key from one address in a minute.
        body_memory: Bytes of bodies, other than uploads, that are on their way at once; more are refused.
        connections: Connections at once; more are closed.
        header_timeout: Seconds in which a request's head must arrive.
        body_timeout: Seconds between two pieces of a body, and for each megabyte of it.
        send_timeout: Seconds in which a client must take a piece of an answer.
        storage_timeout: Seconds in which the database must answer before a request is refused.
        cors_origins: Origins from which browsers may call; `*` for all.
        longest_wait: Seconds that `?wait=` may ask for.
        streams: Live event streams of one key at once.
        heartbeat: Seconds after which a stream on which nothing happens shows that it is there.
        test_time: Seconds that a block's test may take.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    body_limit: int = 10 * MEGABYTE
    document_limit: int = MEGABYTE
    upload_limit: int = 1000 * MEGABYTE
    rate: float = 1200
    burst: int = 200
    strangers: float = 120
    body_memory: int = 256 * MEGABYTE
    connections: int = 2000
    header_timeout: float = 15
    body_timeout: float = 20
    send_timeout: float = 60
    storage_timeout: float = 3
    cors_origins: Sequence[str] = ()
    longest_wait: float = 60
    streams: int = 20
    heartbeat: float = 15
    test_time: float = 60

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **overrides: Any) -> "ServerConfig":
        """Read `LUMEFLOW_CORS_ORIGINS`, `LUMEFLOW_BODY_LIMIT`, `LUMEFLOW_DOCUMENT_LIMIT`, `LUMEFLOW_UPLOAD_LIMIT`
        (bytes) and `LUMEFLOW_RATE_LIMIT` (requests of a key in a minute).

        Args:
            environ: Environment variables.
            overrides: Attributes that are given otherwise; None leaves what the environment says.

        Raises:
            UsageError: A variable holds something unusable.
        """
        values: dict[str, Any] = {}
        if origins := environ.get("LUMEFLOW_CORS_ORIGINS", "").replace(",", " ").split():
            values["cors_origins"] = tuple(origins)
        for name, variable in (
            ("body_limit", "LUMEFLOW_BODY_LIMIT"),
            ("document_limit", "LUMEFLOW_DOCUMENT_LIMIT"),
            ("upload_limit", "LUMEFLOW_UPLOAD_LIMIT"),
            ("rate", "LUMEFLOW_RATE_LIMIT"),
        ):
            if text := environ.get(variable):
                values[name] = _whole(variable, text)
        return cls(**values | {name: value for name, value in overrides.items() if value is not None})


def _whole(variable: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"{variable}: '{text[:40]}' is not a number; expected a whole number above 0, such as 1000000")
    return int(text)
