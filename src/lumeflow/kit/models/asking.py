"""Asking a language model about many things at once and getting a checked answer for each.

    ask ──► all usable: done
     │ └──► some missing, doubled or unusable: ask again about these only, saying what was wrong
     └────► stopped (filter, refusal, too long): ask about each half, so that one bad text does not spoil the others

What stays without a usable answer is an error of that record alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import orjson

from lumeflow.core.errors import STOPS_NODE
from lumeflow.kit.models.chat import Desk, Message
from lumeflow.kit.models.completion import Finish
from lumeflow.kit.models.json_answers import json_in
from lumeflow.kit.replies import UNREADABLE
from lumeflow.plugin import BlockContext, CallError, ErrorClass, RecordError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

REASKS = 2
"""One question about what was unusable, and a last one about what still is."""
MOST_HALVINGS = 8
"""Enough to find one bad text among 256; without a bound, a model that refuses everything would be asked for ever."""
_LONGEST_PROBLEM = 300


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to ask about.

    Attributes:
        id: Its id in question and answer, by its place in the batch: the same in every run.
        line: What the model gets to see of it, besides the id.
    """

    id: str
    line: Mapping[str, Any]


class Task(Protocol[T_co]):
    """What to ask and how to read the answer."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """JSON Schema of the whole answer; None for free text."""
        ...

    @property
    def schema_name(self) -> str:
        """Its name: letters, digits, `_` and `-`."""
        ...

    def messages(self, items: Sequence[Item], problem: str) -> Sequence[Message]:
        """The question. `problem` says what was wrong with the previous answer; empty the first time."""
        ...

    def max_tokens(self, items: Sequence[Item]) -> int:
        """Limit of the answer."""
        ...

    def parts(self, text: str, items: Sequence[Item]) -> Iterable[tuple[str, Any]]:
        """Cut an answer into its parts, each with the id of its item.

        Raises:
            ValueError: The answer as a whole is unusable; the message says why, for the model.
        """
        ...

    def read(self, part: Any) -> T_co:
        """Read one part.

        Raises:
            ValueError: It is unusable; the message says why, for the model.
        """
        ...


@dataclass(slots=True)
class Answers(Generic[T]):
    """What came out of a batch.

    Attributes:
        values: Usable answers by item id.
        errors: Why there is none, by item id; together with `values` every item once.
        model: The model that answered first; empty if none did.
    """

    values: dict[str, T] = field(default_factory=dict)
    errors: dict[str, RecordError] = field(default_factory=dict)
    model: str = ""

    def outcome(self, item_id: str) -> "T | RecordError":
        """The answer for an item, or why there is none."""
        return self.errors[item_id] if item_id in self.errors else self.values[item_id]


class Survey(Generic[T]):
    """Asks about one batch of items. Used once."""

    def __init__(self, desk: Desk, task: Task[T], ctx: BlockContext) -> None:
        self._desk = desk
        self._task = task
        self._ctx = ctx
        self._answers: Answers[T] = Answers()
        self._asked: Counter[bytes] = Counter()
        self._halvings = MOST_HALVINGS

    async def run(self, items: Sequence[Item]) -> Answers[T]:
        """Ask until every item has an answer or an error.

        Raises:
            CallError: The first call failed, or one failed in a way that stops the node.
            NodeError: Nothing can be asked at all.
        """
        if items:
            await self._ask(items)
        return self._answers

    async def _ask(self, items: Sequence[Item]) -> None:
        problem = ""
        for _ in range(1 + REASKS):
            try:
                completion = await self._desk.ask(
                    self._ctx,
                    self._task.messages(items, problem),
                    max_tokens=self._task.max_tokens(items),
                    schema=self._task.schema,
                    schema_name=self._task.schema_name,
                    asked=self._asked,
                )
            except CallError as error:
                self._keep_what_there_is(items, error)
                return
            self._answers.model = self._answers.model or completion.model
            if completion.finish is not Finish.STOP:
                await self._halve(items, completion.finish)
                return
            problem = self._read(completion.text, items)
            items = [item for item in items if item.id not in self._answers.values]
            if not items:
                return
        self._fail(items, ErrorClass.INVALID_RESPONSE, f"the model gave no usable answer about it: {problem}")

    def _read(self, text: str, items: Sequence[Item]) -> str:
        """Take over what is usable; returns what was wrong with the rest."""
        try:
            parts = list(self._task.parts(text, items))
        except ValueError as error:
            return str(error)
        problems = []
        for item in items:
            found = [part for item_id, part in parts if item_id == item.id]
            try:
                self._answers.values[item.id] = self._task.read(_only(found))
            except ValueError as error:
                problems.append(f"{item.id}: {error}")
        return "; ".join(problems)[:_LONGEST_PROBLEM]

    async def _halve(self, items: Sequence[Item], finish: Finish) -> None:
        if len(items) == 1 or self._halvings == 0:
            error_class, reason = _STOPS[finish]
            self._fail(items, error_class, reason)
            return
        self._halvings -= 1
        middle = len(items) // 2
        await self._ask(items[:middle])
        await self._ask(items[middle:])

    def _keep_what_there_is(self, items: Sequence[Item], error: CallError) -> None:
        if not self._answers.values or error.error_class in STOPS_NODE:
            raise error
        self._fail(items, error.error_class, str(error))

    def _fail(self, items: Sequence[Item], error_class: ErrorClass, reason: str) -> None:
        for item in items:
            self._answers.errors[item.id] = RecordError(error_class, reason)


_STOPS: Mapping[Finish, tuple[ErrorClass, str]] = {
    Finish.LENGTH: (ErrorClass.INVALID_RESPONSE, "the model's answer is longer than allowed; raise maxTokens"),
    Finish.FILTERED: (ErrorClass.VALIDATION, "a content filter of the model's vendor refused the text"),
    Finish.REFUSED: (ErrorClass.VALIDATION, "the model declined to answer"),
    Finish.TOO_LONG: (ErrorClass.VALIDATION, "the text is longer than the model can take"),
}


def json_lines(items: Sequence[Item]) -> str:
    """The items as a question holds them: a JSON object a line, with the id first."""
    return "\n".join(orjson.dumps({"id": item.id, **item.line}).decode() for item in items)


def listed_parts(text: str) -> list[tuple[str, Any]]:
    """The parts of an answer `{"items": [{"id": …, …}, …]}`, or of the bare list.

    Raises:
        ValueError: It is something else.
    """
    answer = json_in(text)
    if answer is UNREADABLE:
        raise ValueError("the answer was not JSON")
    items = answer.get("items") if isinstance(answer, dict) else answer
    if not isinstance(items, list):
        raise ValueError("the answer had no list 'items'")
    return [(str(item.get("id")).strip(), item) for item in items if isinstance(item, dict)]


def _only(found: Sequence[Any]) -> Any:
    if not found:
        raise ValueError("missing")
    if any(part != found[0] for part in found):
        raise ValueError("answered more than once, differently")
    return found[0]
