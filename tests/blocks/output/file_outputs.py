"""Writing files in tests, and reading them back as a workflow would."""

from lumeflow.blocks.input.upload import UploadInput
from lumeflow.testing import MemoryContext, MemoryFiles, run_block


async def write(block, config, payload, *, ctx=None, **options):
    """The run, and the file that it wrote."""
    ctx = ctx or MemoryContext()
    run = await run_block(block, config, payload, context=ctx, **options)
    (data,) = ctx.files.written.values()
    return run, data


async def read_back(data, name, **config):
    """The records of a file."""
    ctx = MemoryContext(files=MemoryFiles({name: data}, piece_bytes=1000))
    run = await run_block(UploadInput, {"source": "upload", **config}, {"file": name}, context=ctx)
    assert run.failed == []
    return run.records


async def write_in_batches(block_class, config, records, size):
    """The file that comes of records that arrive some at a time."""
    ctx = MemoryContext(collection="contacts", fields={"id": 1})
    block = block_class(block_class.Config.model_validate(config))
    await block.open(ctx)
    for start in range(0, len(records), size):
        await block.process_batch(records[start : start + size], ctx)
    await block.close(ctx)
    (data,) = ctx.files.written.values()
    return data
