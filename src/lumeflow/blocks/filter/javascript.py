"""Filter: keep the records that a user's JavaScript takes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, PrivateAttr

from lumeflow.kit.javascript.predicate import Limits, Predicate, Trouble
from lumeflow.kit.javascript.script import Script, read_script
from lumeflow.kit.json_text import dump_json
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    NodeError,
    Outcome,
    RecordError,
    Skip,
)


class JavaScriptFilterConfig(BlockConfig):
    """Configuration of `filter/javascript`."""

    operation: Literal["javascript"] = Field(description="Selects this block.")
    code: str = Field(
        description="A function of the record, an expression about `record`, or the body of a function with `return`. "
        "Records for which it gives true, or what JavaScript takes for true, pass. Two braces in a row begin an "
        "expression of the workflow: part them by a space."
    )
    reason: str | None = Field(
        default=None, min_length=1, max_length=200, description="What is noted of records that are left out."
    )
    on_fail: Literal["skip", "error"] = Field(
        default="skip",
        description="What becomes of a record that does not pass: left out and kept for inspection, or failed.",
    )
    on_limit: Literal["record", "node"] = Field(
        default="record", description="What fails if the code reaches a limit: the record, or the whole node."
    )
    time_limit: float = Field(default=1, ge=0.01, le=60, description="Seconds of processor time for a record.")
    memory_mb: int = Field(default=64, ge=8, le=256, description="Megabytes of memory that the code may use.")

    _script: Script = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Check the syntax.

        Raises:
            ValueError: It is not JavaScript.
        """
        self._script = read_script(self.code)

    @property
    def script(self) -> Script:
        """The code, ready to be run."""
        return self._script


class JavaScriptFilter(Block[JavaScriptFilterConfig]):
    """Let records pass for which JavaScript gives true: `record => record.score > 5 && record.tags.includes('fair')`.

    The code runs in a process of its own, with QuickJS, within limits of time and memory. It has the language (ES2023)
    and nothing else: no network, no files, no modules, no timers, no promises. The same record always gets the same
    answer: nothing is kept from one record to the next, what is built in is frozen, `Math.random` is gone, and
    `Date.now()` is the execution's time, in UTC.

    Input: any record; embeddings are lists of numbers, integers beyond 2^53 lose digits as everywhere in JavaScript.
    Output: the records that pass, unchanged; what the code changes in its copy is lost.
    Errors: VALIDATION for a record where the code raises an error or gives a promise, and, with `onFail` `error`, for
        one that does not pass; LIMIT for one where it takes too long or too much memory, for the node with `onLimit`
        `node`. Messages name the line, and repeat nothing that is not in the code.
    Cost: none. About 10 microseconds a record besides what the code does.
    """

    type = BlockType.FILTER
    name = "javascript"
    when = ({"operation": "javascript"},)
    Config = JavaScriptFilterConfig
    ordered = True
    example: ClassVar[Mapping[str, Any]] = {
        "operation": "javascript",
        "code": "record => record.email.endsWith('@example.com') && new Date(record.seen) < Date.now()",
        "reason": "not of Example, or not seen yet",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [
            {"email": "mira.holt@example.com", "seen": "2026-01-02"},
            {"email": "tomas@example.org", "seen": "2026-01-03"},
        ]
    }

    def __init__(self, config: JavaScriptFilterConfig) -> None:
        super().__init__(config)
        self._predicate: Predicate | None = None

    @property
    def batch_size(self) -> int:
        """Records are taken as they come."""
        return 0

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Get ready."""
        limits = Limits(self.config.time_limit, self.config.memory_mb)
        self._predicate = Predicate(self.config.script, limits, ctx.now)
        return {}

    def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Outcome]:
        """Let those pass that the code takes."""
        assert self._predicate is not None
        texts = [_text(record) for record in records]
        verdicts = iter(self._predicate.judge([text for text in texts if isinstance(text, bytes)]))
        return [
            self._outcome(record, next(verdicts)) if isinstance(text, bytes) else text
            for record, text in zip(records, texts, strict=True)
        ]

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """End the process."""
        await self.abort()
        return {}

    async def abort(self) -> None:
        """End the process, whatever it is doing."""
        if self._predicate is not None:
            await asyncio.to_thread(self._predicate.close)

    def _outcome(self, record: JsonObject, verdict: bool | Trouble) -> Outcome:
        if verdict is True:
            return record
        if isinstance(verdict, Trouble):
            if verdict.is_limit and self.config.on_limit == "node":
                raise NodeError(ErrorClass.LIMIT, verdict.message, field="code")
            return RecordError(ErrorClass.LIMIT if verdict.is_limit else ErrorClass.VALIDATION, verdict.message)
        reason = self.config.reason or "the code did not take it"
        return Skip(reason) if self.config.on_fail == "skip" else RecordError(ErrorClass.VALIDATION, reason)


def _text(record: JsonObject) -> bytes | RecordError:
    try:
        return dump_json(record)
    except TypeError as error:
        return RecordError(ErrorClass.VALIDATION, f"the record can't be given to JavaScript: {error}")
