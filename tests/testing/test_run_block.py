import pytest

from lumeflow.plugin import (
    Block,
    BlockType,
    CallError,
    ErrorClass,
    NodeError,
    RecordError,
    Route,
    Skip,
    UsageError,
    Whole,
)
from lumeflow.testing import MemoryContext, MemoryTables, run_block

ROWS = [{"n": number} for number in range(5)]


class Base(Block):
    type = BlockType.TRANSFORM
    when = ({},)


class Sorting(Base):
    """Shows every outcome, by the number of the record."""

    name = "sorting"

    def applies(self, record, ctx):
        return record["n"] != 4

    def process(self, record, ctx):
        return [record, Skip("one"), Route("two", record), RecordError(ErrorClass.VALIDATION, "three")][record["n"]]


class Echo(Base):
    name = "echo"
    seen = ()

    @property
    def batch_size(self):
        return 2

    def applies(self, record, ctx):
        return record["n"] != 1

    async def process_batch(self, records, ctx):
        Echo.seen += (
            ([record["n"] for record in records], ctx.position, [record["n"] for record in ctx.input["rows"]]),
        )
        return [[record, record] for record in records]


async def test_outcomes_are_sorted():
    run = await run_block(Sorting, {}, {"kind": "x", "rows": ROWS})
    assert run.records == [ROWS[0], ROWS[4]]
    assert [(left.position, left.reason) for left in run.skipped] == [(1, "one")]
    assert run.routed == {"two": [ROWS[2]]}
    assert [(failed.position, str(failed.error)) for failed in run.failed] == [(3, "three")]
    assert run.output == {"kind": "x", "rows": [ROWS[0], ROWS[4]]}


async def test_batches_hold_the_records_that_the_block_applies_to():
    Echo.seen = ()
    run = await run_block(Echo, {}, {"rows": ROWS})
    assert Echo.seen == (([0, 2], 0, [0, 2]), ([3, 4], 3, [3, 4]))
    assert [record["n"] for record in run.records] == [0, 0, 1, 2, 2, 3, 3, 4, 4]


async def test_fields_of_open_and_close_join_those_that_came_in():
    class Counting(Base):
        name = "counting"
        aborted = False

        async def open(self, ctx):
            return {"metadata": {"opened": ctx.collection}}

        async def process(self, record, ctx):
            return record

        async def close(self, ctx):
            return {"metadata": {"closed": sorted(ctx.fields)}}

    run = await run_block(Counting, {}, {"id": 1, "metadata": {"old": True}, "rows": ROWS[:1]})
    assert run.fields == {"id": 1, "metadata": {"old": True, "opened": "rows", "closed": ["id", "metadata"]}}


class Raising(Base):
    name = "raising"
    error: Exception
    aborted = 0

    async def process(self, record, ctx):
        raise self.error

    async def abort(self):
        Raising.aborted += 1


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (RecordError(ErrorClass.VALIDATION, "bad"), False),
        (CallError(ErrorClass.NOT_FOUND, "no", operation="x/y"), False),
        (CallError(ErrorClass.AUTH, "no key", operation="x/y"), True),
        (NodeError(ErrorClass.VALIDATION, "bad"), True),
        (ZeroDivisionError(), True),
    ],
)
async def test_errors_fail_the_record_or_end_the_run(error, ends):
    Raising.error, Raising.aborted = error, 0
    if ends:
        with pytest.raises(type(error)):
            await run_block(Raising, {}, {"rows": ROWS})
        assert Raising.aborted == 1
    else:
        run = await run_block(Raising, {}, {"rows": ROWS})
        assert [failed.error for failed in run.failed] == [error] * 5


async def test_what_is_no_outcome_is_a_failure():
    class Wrong(Base):
        name = "wrong"

        def process(self, record, ctx):
            return 7

    run = await run_block(Wrong, {}, {"n": 1})
    assert run.failed[0].error.error_class is ErrorClass.INTERNAL


async def test_a_producer_gets_the_whole_payload_and_sends_its_records():
    class Unnesting(Base):
        name = "unnesting"

        async def produce(self, ctx):
            for url in ctx.input["urls"]:
                yield {"url": url}

        async def close(self, ctx):
            return {"done": True}

    run = await run_block(Unnesting, {"collection": "pages"}, {"id": 1, "urls": ["a", "b"]})
    assert run.output == {"id": 1, "urls": ["a", "b"], "done": True, "pages": [{"url": "a"}, {"url": "b"}]}


async def test_a_whole_payload_block_gets_its_sources_in_order():
    class Taking(Base):
        type = BlockType.MERGE
        name = "taking"

        def sources(self):
            return ["b", "skipped", "a"]

        async def run(self, payloads, ctx):
            return Whole({"order": list(payloads)}, "rows", payloads["a"].records)

    run = await run_block(Taking, {}, {"a": {"rows": ROWS}, "b": {"f": 1}})
    assert run.output == {"order": ["b", "a"], "rows": ROWS}


class TestMemoryContext:
    async def test_calls_are_answered_and_noted(self):
        ctx = MemoryContext(answers={"x/a": {"v": 1}, "x/b": lambda params: params["n"] * 2})
        assert (await ctx.call("x/a", {})).value == {"v": 1}
        assert (await ctx.at(None, 3, {}, None).call("x/b", {"n": 4})).value == 8
        assert ctx.calls == [("x/a", {}), ("x/b", {"n": 4})]
        with pytest.raises(UsageError, match="no answer for 'x/c'"):
            await ctx.call("x/c", {})

    async def test_an_answer_may_be_an_error(self):
        ctx = MemoryContext(answers={"x/a": CallError(ErrorClass.NOT_FOUND, "none", operation="x/a")})
        with pytest.raises(CallError):
            await ctx.call("x/a", {})

    def test_secrets_are_opaque_and_missing_ones_named(self):
        ctx = MemoryContext(secrets={"KEY": "s3cret"})
        assert str(ctx.secret("KEY")) == "***"
        with pytest.raises(NodeError, match="'OTHER' is not configured"):
            ctx.secret("OTHER")

    def test_prompts_have_to_be_given(self):
        with pytest.raises(UsageError, match="no prompts"):
            _ = MemoryContext().prompts


class Streaming(Block):
    """A merge that works record by record."""

    type = BlockType.MERGE
    name = "streaming"
    when = ({},)

    def sources(self):
        return ("b", "a")

    def process(self, record, ctx):
        return record


class Counting(Base):
    """A transform that needs everything at once, and notes how it was treated."""

    name = "counting"
    seen = []

    async def open(self, ctx):
        self.seen.append("open")
        return {"opened": True}

    async def run(self, payloads, ctx):
        records = [record for payload in payloads.values() for record in payload.records]
        if not records:
            raise NodeError(ErrorClass.VALIDATION, "rows are missing")
        return Whole({"count": len(records)}, "rows", records)

    async def close(self, ctx):
        self.seen.append("close")
        return {"closed": True}

    async def abort(self):
        self.seen.append("abort")


class TestWholePayloads:
    async def test_a_merge_by_records_gets_its_sources_one_after_the_other(self):
        run = await run_block(Streaming, {}, {"a": {"rows": [{"n": 1}]}, "b": {"kind": "x", "rows": [{"n": 2}]}})
        assert run.output == {"kind": "x", "rows": [{"n": 2}, {"n": 1}]}

    async def test_a_block_that_is_no_merge_gets_the_payload_itself(self):
        run = await run_block(Counting, {}, {"rows": ROWS})
        assert run.output == {"count": 5, "opened": True, "closed": True, "rows": ROWS}

    async def test_it_is_closed_or_aborted(self):
        Counting.seen.clear()
        await run_block(Counting, {}, {"rows": ROWS})
        with pytest.raises(NodeError):
            await run_block(Counting, {}, {"rows": []}, collection="rows")
        assert Counting.seen == ["open", "close", "open", "abort"]


class TestMemoryTables:
    async def test_rows_are_found_written_over_and_deleted(self):
        tables = MemoryTables({"t": [{"id": 1, "a": "x"}]})
        await tables.upsert("t", [{"id": 1, "a": "y"}, {"id": 2, "a": "y"}], key=["id"])
        assert await tables.find("t", {"a": "y"}, ["id"]) == [{"id": 1}, {"id": 2}]
        assert await tables.delete("t", {"id": 1}) == 1
        assert tables.rows == {"t": [{"id": 2, "a": "y"}]}

    async def test_an_unknown_table_is_named(self):
        with pytest.raises(UsageError, match="no table 'tt'"):
            await MemoryTables({"t": []}).find("tt", {})
