"""The contract between the engine and a block: one class in one file.

A block author overrides exactly one of four methods and knows nothing of streaming, retries, rates, costs or ledger:

    process(record, ctx)          one record at a time
    process_batch(records, ctx)   `batch_size` records at a time
    produce(ctx)                  makes records from a whole payload (scrapers, readers)
    run(payloads, ctx)            needs everything at once (zip, whole-payload merges)

The first two may be plain functions: the engine then runs them in a worker thread, batch by batch, in order.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from lumeflow.core.block_type import BlockType as BlockType  # noqa: PLC0414 - for all who know it from here
from lumeflow.core.config import BlockConfig
from lumeflow.core.context import BlockContext
from lumeflow.core.expressions import Template
from lumeflow.core.money import ZERO
from lumeflow.core.records import JsonObject, Outcome, Whole
from lumeflow.core.secret import Secret

ConfigClass = type[BlockConfig]
ConfigT = TypeVar("ConfigT", bound=BlockConfig)

NO_FIELDS: Mapping[str, Any] = {}


class Shape(StrEnum):
    """How a block works; follows from the method that its class overrides."""

    RECORD = "record"
    BATCH = "batch"
    PRODUCER = "producer"
    WHOLE = "whole"


class Block(Generic[ConfigT]):
    """One implementation of a block type. One instance serves one node in one execution.

    Class attributes:
        type: One of the eight types.
        name: Name among the blocks of its type; `type/name` identifies it, e.g. `api/apollo-people-match`.
        when: Discriminators: the block is meant if `config` holds all pairs of one of these mappings; an empty
            mapping is the type's default. The mapping with the most pairs wins. A value `name@*` stands for `name` and
            for `name@1`, `name@2` and so on.
        Config: Its configuration model.
        operations: Ids of all operations it may call.
        example: A node `config` that works in demo mode; shown in the reference and run by the tests.
        example_input: A payload for the example.
        ordered: True for an asynchronous block whose units must be worked on one after the other. The units of other
            blocks are begun in input order, too, but are under way at the same time.
    """

    type: ClassVar[BlockType]
    name: ClassVar[str]
    when: ClassVar[Sequence[Mapping[str, str | bool]]]
    Config: ClassVar[ConfigClass] = BlockConfig
    operations: ClassVar[Sequence[str]] = ()
    example: ClassVar[Mapping[str, Any]] = {}
    example_input: ClassVar[Mapping[str, Any]] = {}
    ordered: ClassVar[bool] = False

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    @classmethod
    async def execute(
        cls,
        config: Mapping[str, Any],
        input: JsonObject,  # noqa: A002 - the plan's name
        context: "BlockRunner",
    ) -> "BlockResult":
        """Run the block alone on a whole payload, as a workflow of one node would.

        Args:
            config: The node's `config` as in a workflow document.
            input: The whole payload.
            context: Where it runs, e.g. `lumeflow.ExecutionContext(mode="demo")`.

        Raises:
            InvalidWorkflow: The configuration is not valid.
        """
        return await context.run_block(cls, config, input)

    @classmethod
    def id(cls) -> str:
        """`type/name`."""
        return f"{cls.type}/{cls.name}"

    @classmethod
    def shape(cls) -> Shape:
        """How the block works, by the method it overrides.

        Raises:
            TypeError: It overrides none of the four, or more than one.
        """
        overridden = [shape for shape, method in _METHODS.items() if getattr(cls, method) is not getattr(Block, method)]
        if len(overridden) != 1:
            wanted = ", ".join(_METHODS.values())
            raise TypeError(
                f"block {cls.__name__} must override exactly one of {wanted}; it overrides {len(overridden)}"
            )
        return overridden[0]

    @property
    def batch_size(self) -> int:
        """Records in one batch of a batch block; every batch but the last is this long, unless too many records to
        which the block does not apply would wait for it.

        0 takes records as they come, for blocks to which the cut makes no difference: an output stores at once what
        has arrived.
        """
        return getattr(self.config, "batch_size", None) or (0 if self.type is BlockType.OUTPUT else 100)

    def out_ports(self) -> Sequence[str]:
        """Ports that records can leave by, besides `error`."""
        return ("out",)

    def routes(self) -> Mapping[str, str]:
        """Ports that are bound to node ids by the configuration itself (branch): port to node id."""
        return {}

    def sources(self) -> Sequence[str]:
        """Ids of the nodes whose payloads it takes, in order (merge); empty for the order of the edges."""
        return ()

    def output_collection(self, incoming: str | None) -> str | None:
        """Name of the collection it sends, where no schema tells; asked after `open`.

        `incoming` is the name of the one that it gets.
        """
        return self.config.collection or incoming

    def admit(self, admission: "Admission") -> str | None:
        """Of an input: look at what would start an execution, before anything is stored of it. Pure.

        Returns the id that the execution must have, so that the same input cannot start a second one; None for any.
        Not asked in demo mode, and not at a resume.

        Raises:
            UsageError: No execution may be started by it.
        """
        return None

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """False for a record that is to pass through untouched and unpaid.

        Raises:
            RecordError: It cannot be told.
        """
        return True

    def cautions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        """What is allowed in the configuration but unwise: each place, and a sentence on what to do. Told by
        validation as a warning.
        """
        return ()

    def writes(self) -> Template | None:
        """Path of the file that it writes, as `config.path` has it; None for no file, or for a path of its own. Two
        nodes must not write one file.
        """
        return None

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Called once before the first record; returns payload fields to send at once.

        To a producer, `ctx.collection` is the name that the output schema gives its records, if it does.
        """
        return NO_FIELDS

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Called once after the last record, with all of the payload's fields; returns fields to send at the end."""
        return NO_FIELDS

    async def abort(self) -> None:
        """Called instead of `close` when the node ends early; releases what `open` took. Never raises."""

    def process(self, record: JsonObject, ctx: BlockContext) -> Any:
        """Work on one record; plain or async. Returns an `Outcome`.

        Raises:
            RecordError: The record cannot be processed.
            NodeError: Nothing can.
        """
        raise NotImplementedError

    def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> Any:
        """Work on a batch; plain or async. Returns one `Outcome` for each record, in the same order."""
        raise NotImplementedError

    def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
        """Make records, in a fixed order, from `ctx.input`, the whole payload. An async generator.

        The payload's fields pass through; fields of its own it returns from `open` or `close`. A block that only sets
        fields yields nothing.
        """
        raise NotImplementedError

    async def run(self, payloads: Mapping[str, Whole], ctx: BlockContext) -> Whole:
        """Make one payload from whole payloads, given by source node id in the order of `sources`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Admission:
    """What an input block is shown before an execution is begun.

    Attributes:
        workflow_id: The workflow.
        node_id: The input's node.
        trigger: Raw input of the execution.
        now: The time that the execution would have.
        secret: Looks up a secret; raises `UsageError` for one that is not configured.
    """

    workflow_id: str
    node_id: str
    trigger: JsonObject
    now: datetime
    secret: Callable[[str], Secret]


@dataclass(frozen=True, slots=True)
class BlockResult:
    """How a block that ran alone ended.

    Attributes:
        status: `success` or `failed`.
        output: The payload that it sent.
        failed: Records that failed, with their reasons.
        skipped: Records that it left out on purpose, with their reasons.
        cost: Money that its calls cost.
        error: Why it failed.
    """

    status: str
    output: JsonObject
    failed: Sequence[str] = ()
    skipped: Sequence[str] = ()
    cost: Decimal = ZERO
    error: str | None = None


class BlockRunner(Protocol):
    """Something that can run a block alone."""

    async def run_block(self, block: type[Block[Any]], config: Mapping[str, Any], payload: JsonObject) -> BlockResult:
        """Run `block` on `payload`; see `Block.execute`."""
        ...


_METHODS = {
    Shape.RECORD: "process",
    Shape.BATCH: "process_batch",
    Shape.PRODUCER: "produce",
    Shape.WHOLE: "run",
}
