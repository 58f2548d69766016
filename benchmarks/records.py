"""A million records through rename, normalise, deduplicate and filter: by a workflow, and by a plain loop over dicts.

The loop does the same work with the same function for e-mail addresses. For phones it calls the library by which the
block reads them too (`phonenumbers`), as a loop written by hand does; a second loop uses the block's own way, which
knows plain numbers by the library's plans and asks it only about the others. That one shows what the engine costs.

python -m benchmarks.records [RECORDS [ROUNDS]]
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

RECORDS = 1_000_000
ROUNDS = 2
JAVASCRIPT = 100_000
BATCH = 128


def leads(count: int) -> Iterator[dict[str, Any]]:
    """Leads as files hold them: addresses and numbers in several spellings, one in eight twice, one in ten without."""
    for number in range(count):
        person = number - 1000 if number % 8 == 7 and number > 1000 else number
        phone = f"02 55{person % 1_000_000:06d}" if person % 3 else f"+39 02-55{person % 1_000_000:06d}"
        yield {
            "First Name": f"Mira{person}",
            "lastName": "Holt",
            "email": ""
            if person % 10 == 9
            else f" Mira.Holt{person}@Example.COM"
            if person % 2
            else f"mira{person}@example.com",
            "phone": phone,
            "company": {"name": "Example Freight", "size": person % 500},
        }


def library_phone(text: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, "IT")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def loop(count: int, phone: Callable[[str], str | None]) -> dict[str, Any]:
    from lumeflow.kit.normalize.emails import email_address

    seen = set()
    kept = 0
    for lead in leads(count):
        record = dict(lead)
        if "First Name" in record:
            record["firstName"] = record.pop("First Name")
        if record["email"]:
            record["email"] = email_address(record["email"], all_lower=True) or record["email"]
        if record["phone"]:
            record["phone"] = phone(record["phone"]) or record["phone"]
        key = record["email"].strip().casefold() or None
        if key is not None and key in seen:
            continue
        seen.add(key)
        if record["email"] and record["phone"]:
            kept += 1
    return {"kept": kept}


def library(count: int) -> dict[str, Any]:
    return loop(count, library_phone)


def shared(count: int) -> dict[str, Any]:
    from lumeflow.kit.normalize.phones import phone_e164

    return loop(count, lambda text: phone_e164(text, "IT"))


def workflow(count: int) -> dict[str, Any]:
    return asyncio.run(_workflow(count))


async def _workflow(count: int) -> dict[str, Any]:
    from lumeflow.app import open_app
    from lumeflow.plugin import Block, BlockConfig, BlockContext, BlockType, Outcome
    from lumeflow.settings import Settings

    class LeadsConfig(BlockConfig):
        source: str

    class Leads(Block[LeadsConfig]):
        type = BlockType.INPUT
        name = "bench-leads"
        when = ({"source": "bench-leads"},)
        Config = LeadsConfig

        def output_collection(self, incoming: str | None) -> str | None:
            return "leads"

        async def produce(self, ctx: BlockContext) -> AsyncIterator[Outcome]:
            for lead in leads(count):
                yield lead

    nodes = [
        {"id": "in", "type": "input", "config": {"source": "bench-leads"}},
        {
            "id": "clean",
            "type": "transform",
            "config": {
                "operations": [
                    {"type": "rename", "from": "['First Name']", "to": "firstName"},
                    {"type": "normalize", "field": "email", "as": "email", "case": "all"},
                    {"type": "normalize", "field": "phone", "as": "phone", "country": "IT"},
                ]
            },
        },
        {"id": "once", "type": "transform", "config": {"operation": "deduplicate", "keys": ["email"]}},
        {
            "id": "reachable",
            "type": "filter",
            "config": {
                "conditions": [{"field": "email", "operator": "exists"}, {"field": "phone", "operator": "exists"}]
            },
        },
    ]
    edges = [{"source": a, "target": b} for a, b in (("in", "clean"), ("clean", "once"), ("once", "reachable"))]
    document = {"workflowId": "records", "name": "records", "nodes": nodes, "edges": edges}
    with tempfile.TemporaryDirectory() as folder:
        async with open_app(Settings(data_dir=Path(folder))) as app:
            app.registry.add_block(Leads)
            result = await app.execute(document, {})
    assert result.status == "completed", result.error
    return {"kept": result.nodes["reachable"].records_out}


def javascript(count: int) -> dict[str, Any]:
    return asyncio.run(_javascript(count))


async def _javascript(count: int) -> dict[str, Any]:
    from lumeflow.blocks.filter.javascript import JavaScriptFilter
    from lumeflow.testing import MemoryContext

    code = "record => record.company.size > 100 && record.email.endsWith('.com') && /^02/.test(record.phone)"
    block = JavaScriptFilter(JavaScriptFilter.Config.model_validate({"operation": "javascript", "code": code}))
    ctx = MemoryContext()
    await block.open(ctx)
    records = list(leads(count))
    before = time.process_time()
    kept = 0
    for start in range(0, count, BATCH):
        kept += sum(isinstance(made, dict) for made in block.process_batch(records[start : start + BATCH], ctx))
    took = time.process_time() - before
    await block.close(ctx)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"kept": kept, "took": took + children.ru_utime + children.ru_stime}


CONTENDERS = {"library": library, "shared": shared, "workflow": workflow, "javascript": javascript}


def measured(name: str, count: int) -> dict[str, Any]:
    """Run a contender in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.records", name, str(count)]
    found: dict[str, Any] = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def compare(count: int, rounds: int) -> None:
    """Contenders in turn, so that a busy machine is busy for all of them; of each the best."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for name in ("library", "shared", "workflow"):
            found = measured(name, count)
            best[name] = min(best.get(name, found), found, key=lambda each: float(each["cpu"]))
    assert len({found["kept"] for found in best.values()}) == 1, "they kept different records"
    ratio, strict = (best["workflow"]["cpu"] / best[name]["cpu"] for name in ("library", "shared"))
    out = sys.stdout.write
    out(f"{count:,} records through rename, normalise (e-mail, phone), deduplicate and filter\n")
    out(f"  CPU over a plain loop with the phonenumbers library: {ratio:.2f} (goal: at most 1.5)\n")
    out(f"  CPU over a plain loop with the block's own, faster function for phones: {strict:.2f} (no goal)\n")
    each = {name: f"{found['cpu'] / count * 1e6:.1f}" for name, found in best.items()}
    out(f"  us a record: library {each['library']}, own function {each['shared']}, workflow {each['workflow']}\n")
    out(f"  peak memory of the workflow: {best['workflow']['peakMb']:.0f} MB (goal: under 300)\n")
    rate = max(JAVASCRIPT / measured("javascript", JAVASCRIPT)["took"] for _ in range(rounds))
    out(f"JavaScript filter: {rate:,.0f} records a second of processor time (goal: at least 20,000)\n")


def main() -> None:
    if sys.argv[1:] and sys.argv[1] in CONTENDERS:
        before, began = time.process_time(), time.perf_counter()
        found = CONTENDERS[sys.argv[1]](int(sys.argv[2]))
        found |= {"cpu": time.process_time() - before, "wall": time.perf_counter() - began}
        found["peakMb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.buffer.write(orjson.dumps(found))
        return
    count, rounds = (*map(int, sys.argv[1:]), *(RECORDS, ROUNDS)[len(sys.argv) - 1 :])
    compare(count, rounds)


if __name__ == "__main__":
    main()
