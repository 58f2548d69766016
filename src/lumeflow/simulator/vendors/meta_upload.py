"""What Meta makes of an upload to a custom audience: schema, rows, session."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from lumeflow.simulator.exchange import JSON_HEADERS, RefusedError, Reply

MOST_ROWS = 10_000
MOST_SAMPLES = 10

_KEYS = frozenset(
    {
        "EMAIL", "PHONE", "FN", "LN", "FI", "GEN", "DOBY", "DOBM", "DOBD", "CT", "ST", "ZIP", "COUNTRY", "MADID",
        "EXTERN_ID",
    }
)  # fmt: skip
_PLAIN = frozenset({"MADID", "EXTERN_ID"})
_HASH = re.compile(r"[0-9a-f]{64}")
_EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Upload:
    """One call with rows, checked and taken apart.

    Args:
        body: The call's body.
        sessions: The audience's sessions: session id to its newest batch and whether that is the last;
            brought up to date.

    Attributes:
        session: Its id; 0 for a call without one.
        rows: Hashes of the rows that can be used.
        received: Rows that came.
        invalid: Reasons by position of those that cannot be used.

    Raises:
        RefusedError: The call as a whole is refused.
    """

    def __init__(self, body: Mapping[str, Any], sessions: dict[int, tuple[int, bool]]) -> None:
        payload = body.get("payload")
        if not isinstance(payload, dict):
            raise RefusedError(error(100, "(#100) The parameter payload is required."))
        self._keys = _schema(payload.get("schema"))
        rows = payload.get("data")
        if not isinstance(rows, list) or not rows:
            raise RefusedError(error(100, "(#100) The parameter data must be a list that is not empty."))
        if len(rows) > MOST_ROWS:
            raise RefusedError(error(100, f"(#100) At most {MOST_ROWS} users in one call."))
        self.rows: list[int] = []
        self.invalid: dict[int, str] = {}
        self.received = len(rows)
        for position, row in enumerate(rows):
            self._take(position, row)
        self.session = _session(body.get("session"), sessions)

    def samples(self) -> dict[str, str]:
        """Positions of some invalid rows, with the reasons."""
        return {str(position): self.invalid[position] for position in list(self.invalid)[:MOST_SAMPLES]}

    def _take(self, position: int, row: Any) -> None:
        values = [row] if isinstance(row, str) else row
        if not isinstance(values, list) or len(values) != len(self._keys):
            raise RefusedError(error(100, "(#100) Invalid parameter: data does not match schema."))
        reason = next(filter(None, map(_fault, self._keys, values)), None)
        if reason is None and not any(values):
            reason = "empty row"
        if reason is not None:
            self.invalid[position] = reason
            return
        content = "\x1f".join(values).encode("utf-8", "surrogatepass")
        self.rows.append(int.from_bytes(blake2b(content, digest_size=8).digest(), "little"))


def _schema(given: Any) -> list[str]:
    keys = [given.removesuffix("_SHA256")] if isinstance(given, str) else given
    if not isinstance(keys, list) or not keys or not all(key in _KEYS for key in keys) or len(set(keys)) < len(keys):
        raise RefusedError(error(100, "(#100) Invalid parameter: schema."))
    return keys


def _fault(key: str, value: Any) -> str | None:
    """What is wrong with a value; an empty one is missing, which is fine."""
    if not isinstance(value, str):
        return f"{key} is no text"
    if value == _EMPTY_HASH:
        return f"{key} is the hash of nothing"
    if value and key not in _PLAIN and not _HASH.fullmatch(value):
        return f"{key} is not hashed"
    if key in _PLAIN and _HASH.fullmatch(value):
        return f"{key} must not be hashed"
    return None


def _session(given: Any, sessions: dict[int, tuple[int, bool]]) -> int:
    """Check the order of batches. The same batch may come again, and so does the last one."""
    if given is None:
        return 0
    number, batch = (given.get("session_id"), given.get("batch_seq")) if isinstance(given, dict) else (None, None)
    for value, most in ((number, 2**64), (batch, 2**31)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < most:
            raise RefusedError(error(100, "(#100) Invalid parameter: session."))
    assert isinstance(number, int)
    assert isinstance(batch, int)
    newest, closed = sessions.get(number, (0, False))
    if batch > newest + (not closed):
        reason = "has been closed" if closed else f"expects batch {newest + 1}"
        raise RefusedError(error(100, f"(#100) Invalid parameter: the session {reason}."))
    sessions[number] = (max(newest, batch), closed or given.get("last_batch_flag") is True)
    return number


def error(code: int, message: str, *, status: int = 400, subcode: int | None = None, transient: bool = False) -> Reply:
    """An error in Meta's envelope."""
    body: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, "is_transient": transient}
    if subcode is not None:
        body["error_subcode"] = subcode
    if code % 2:
        body["fbtrace_id"] = "AExampleTraceId"
    return Reply(status, orjson.dumps({"error": body}), JSON_HEADERS)
