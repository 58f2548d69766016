"""A block whose every method gets a watched context."""

import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any

from lumeflow.core.block import Block, Shape
from lumeflow.testing.contract.hooks import Hooks, Watched

Wrap = Callable[[Any], Watched]


def watched(block: type[Block[Any]], hooks: Hooks, tables: Any) -> type[Block[Any]]:
    """A class that does what `block` does, with `hooks` between it and its context."""

    def wrap(ctx: Any) -> Watched:
        return Watched(ctx, hooks, tables)

    async def opening(self: Any, ctx: Any) -> Mapping[str, Any]:
        return await block.open(self, wrap(ctx))

    async def closing(self: Any, ctx: Any) -> Mapping[str, Any]:
        return await block.close(self, wrap(ctx))

    def applies(self: Any, record: Any, ctx: Any) -> bool:
        return block.applies(self, record, wrap(ctx))

    members: dict[str, Any] = {"open": opening, "close": closing, "__doc__": block.__doc__}
    if block.applies is not Block.applies:
        members["applies"] = applies
    return type(block.__name__, (block,), members | _work(block, wrap))


def _work(block: type[Block[Any]], wrap: Wrap) -> dict[str, Any]:
    """The one method that says how the block works."""
    shape = block.shape()
    if shape is Shape.PRODUCER:
        return {"produce": _producing(block, wrap)}
    name = {Shape.RECORD: "process", Shape.BATCH: "process_batch", Shape.WHOLE: "run"}[shape]
    method = getattr(block, name)
    if inspect.iscoroutinefunction(method):

        async def waiting(self: Any, given: Any, ctx: Any) -> Any:
            return await method(self, given, wrap(ctx))

        return {name: waiting}

    def plain(self: Any, given: Any, ctx: Any) -> Any:
        return method(self, given, wrap(ctx))

    return {name: plain}


def _producing(block: type[Block[Any]], wrap: Wrap) -> Any:
    async def produce(self: Any, ctx: Any) -> AsyncIterator[Any]:
        async with aclosing(block.produce(self, wrap(ctx))) as outcomes:  # type: ignore[type-var]
            async for outcome in outcomes:
                yield outcome

    return produce
