"""What a block may ask of the world: calls, secrets, tables, files, prompts. Nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from lumeflow.core.expressions import Template
from lumeflow.core.operation import Params, Response
from lumeflow.core.records import JsonObject
from lumeflow.core.secret import Secret
from lumeflow.core.tables import ColumnKind, Page, Selection

Row = Mapping[str, Any]


class Tables(Protocol):
    """The database as blocks see it. Names are checked against the real tables; values are always bound."""

    async def find(self, table: str, where: Row, fields: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Rows whose columns equal `where`, JSON columns decoded.

        Raises:
            UsageError: Unknown table or column; the message names the known ones.
        """
        ...

    async def page(self, selection: Selection, *, after: Sequence[Any] | None = None, limit: int) -> Page:
        """The next rows of a selection, in the order of its key; `after` is that of the page before.

        Raises:
            UsageError: Unknown table, query, column or parameter, a value that does not fit, or rows without order.
        """
        ...

    async def make(self, table: str, columns: Mapping[str, ColumnKind], *, key: Sequence[str]) -> None:
        """Make a table with these columns and this primary key; where it exists, add the columns that it lacks.

        Raises:
            UsageError: A name is unusable or lumeflow's own.
        """
        ...

    async def upsert(self, table: str, rows: Sequence[Row], *, key: Sequence[str]) -> None:
        """Insert rows, or overwrite those with the same `key` columns; on disk when it returns.

        Dicts and lists are stored as JSON, `array('f')` as little-endian float32.
        """
        ...

    async def delete(self, table: str, where: Row) -> int:
        """Delete rows whose columns equal `where`; returns how many."""
        ...


class FileSink(Protocol):
    """A file that is written whole or not at all."""

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        ...

    async def commit(self) -> str:
        """Finish: the file appears under its final name. Returns its path."""
        ...

    async def discard(self) -> None:
        """Give up: nothing remains. Does nothing after `commit`."""
        ...


class Files(Protocol):
    """Where output files go and input files come from."""

    async def create(self, name: str) -> FileSink:
        """Open a new file of this execution and node; `name` may be a relative or an absolute path.

        Raises:
            UsageError: The path leaves the folder that is allowed, or no file can be there.
        """
        ...

    async def read(self, path: str) -> bytes:
        """Read a whole input file.

        Raises:
            UsageError: It does not exist, cannot be read, or is larger than allowed.
        """
        ...

    async def close(self) -> None:
        """Give up files that were opened and never finished; called when the execution ends."""
        ...

    def stream(self, path: str) -> AsyncIterator[bytes]:
        """Read an input file a piece at a time, for files that are too large to be read whole.

        Raises:
            UsageError: As `read`.
        """
        ...


class Prompt(Protocol):
    """A prompt file: instructions and a user message with variables."""

    name: str
    version: int

    def messages(self, variables: Mapping[str, Any]) -> list[dict[str, str]]:
        """Chat messages with `role` and `content`; system first, then few-shot examples, then the user message."""
        ...

    @property
    def answer_schema(self) -> Mapping[str, Any]:
        """JSON Schema that the model's answer must satisfy."""
        ...


class Prompts(Protocol):
    """The installed prompts."""

    def load(self, reference: str) -> Prompt:
        """Load `name` (the newest version) or `name@3`.

        Raises:
            UsageError: No such prompt; the message names those that exist.
        """
        ...


class BlockContext(Protocol):
    """Handed to every method of a block; one for each record, batch or payload that is worked on.

    Attributes:
        execution_id: Id of the execution.
        workflow_id: Id of the workflow.
        node_id: Id of the node.
        now: The execution's time: constant through the execution, the same after a resume.
        elapsed_ms: Milliseconds since the node's first record; 0 if the execution's time is pinned.
        demo: True if nothing real may be called.
        position: Ordinal, in the node's input, of the (first) record worked on; 0 for a payload.
        place: Identity, in the node, of the (first) record worked on, or of the phase (`open`): the same in every run
            and after every resume, whatever became of other records. For keys of what must not be done twice.
        fields: The payload's fields besides its collection, as far as they are known.
        collection: Name of the payload's collection; None if it has none.
        input: What `{{input…}}` means here: the record, the batch's payload, or the whole payload.
        trigger: Raw input of the execution.
        tables: The database.
        files: Input and output files.
        prompts: The installed prompts.
    """

    @property
    def execution_id(self) -> str: ...  # noqa: D102

    @property
    def workflow_id(self) -> str: ...  # noqa: D102

    @property
    def node_id(self) -> str: ...  # noqa: D102

    @property
    def now(self) -> datetime: ...  # noqa: D102

    @property
    def elapsed_ms(self) -> int: ...  # noqa: D102

    @property
    def demo(self) -> bool: ...  # noqa: D102

    @property
    def position(self) -> int: ...  # noqa: D102

    @property
    def place(self) -> str: ...  # noqa: D102

    @property
    def fields(self) -> JsonObject: ...  # noqa: D102

    @property
    def collection(self) -> str | None: ...  # noqa: D102

    @property
    def input(self) -> Any: ...  # noqa: D102

    @property
    def trigger(self) -> JsonObject: ...  # noqa: D102

    @property
    def tables(self) -> Tables: ...  # noqa: D102

    @property
    def files(self) -> Files: ...  # noqa: D102

    @property
    def prompts(self) -> Prompts: ...  # noqa: D102

    def render(self, template: Template, value: Any = None) -> Any:
        """Resolve a template; `{{input}}` is `value` if given, else `self.input`."""
        ...

    def secret(self, name: str) -> Secret:
        """A configured secret, opaque.

        Raises:
            NodeError: (AUTH) it is not configured.
        """
        ...

    async def call(self, operation: str, params: Params) -> Response:
        """Make a call of a vendor, or have it answered by the ledger, another call in flight, or demo data.

        Args:
            operation: Operation id, e.g. `apollo/people-match`.
            params: What to ask: canonical JSON, without secrets.

        Raises:
            CallError: It failed for good; uncaught, it fails the record, or for AUTH and QUOTA the node.
        """
        ...

    async def remember(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """Read something from outside once per execution: a resume gets the JSON value that the first run got."""
        ...

    async def charged(self) -> Decimal:
        """What this node's answered calls cost so far, over all resumes."""
        ...

    def warn(self, message: str) -> None:
        """Put a warning on the execution's timeline; no record data in it."""
        ...
