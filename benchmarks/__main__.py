"""`make bench`: the workflow through the engine, by hand and the old way; the engine alone; the server.

python -m benchmarks [COMMENTS…]     default: 1000 10000, then 100000 for memory
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import orjson

from benchmarks.simulator import bill, physical_limit, reset, simulator

CONTENDERS = {
    "hardcoded": "(a) the old way: six steps one after the other",
    "handwritten": "(b) a streaming pipeline by hand, no engine, no ledger",
    "workflow": "(c) the workflow through the engine, ledger and validation on",
}


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def contend(name: str, comments: int, address: str) -> dict[str, Any]:
    reset(address)
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "bench.db")
        command = [sys.executable, "-m", "benchmarks.contender", name, str(comments), address, database]
        took: dict[str, Any] = orjson.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = bill(address)
    took |= {
        "calls": found["totals"]["calls"],
        "refused": found["totals"]["rateLimited"],
        "charges": found["totals"]["charges"]["USD"],
        "repeats": found["totals"]["repeats"],
        "limit": physical_limit(address, comments, found),
    }
    return took


def show(name: str, took: dict[str, Any]) -> None:
    say(f"  {CONTENDERS[name]}")
    say(
        f"      {took['wall']:7.2f} s = {took['wall'] / took['limit']:.3f} x the limit of {took['limit']:.2f} s; "
        f"first record stored after {took['firstStored']:.2f} s"
    )
    say(
        f"      CPU {took['cpu']:.2f} s = {took['cpu'] / took['calls'] * 1000:.3f} ms a call; peak {took['peakMb']:.0f} MB; "
        f"{took['calls']} calls, {took['refused']} refused, {took['repeats']} repeated, {took['charges']} USD; "
        f"{took['contacts']} contacts"
    )


def startup() -> None:
    for arguments, goal in ((["--version"], 0.3),):
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-m", "lumeflow", *arguments], check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - begin)
        say(f"lumeflow {' '.join(arguments)}: {sorted(times)[2]:.2f} s (goal: {goal})")


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [1000, 10_000]
    startup()
    subprocess.run([sys.executable, "-m", "benchmarks.overhead"], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.records"], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.listing"], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.queue"], check=True)
    subprocess.run([sys.executable, "-m", "benchmarks.server"], check=True)
    peaks: dict[int, float] = {}
    with simulator() as address:
        for size in sizes:
            say(f"\n{size} comments")
            results = {}
            for name in CONTENDERS:
                results[name] = contend(name, size, address)
                show(name, results[name])
            say(f"  CPU of (c) over (b): {results['workflow']['cpu'] / results['handwritten']['cpu']:.2f}")
            peaks[size] = results["workflow"]["peakMb"]
        if len(sys.argv) == 1:
            say("\n100000 comments, for memory")
            large = contend("workflow", 100_000, address)
            show("workflow", large)
            say(
                f"  peak memory over that at 10,000 comments: {large['peakMb'] / peaks[10_000]:.2f} (goal: at most 1.2)"
            )


if __name__ == "__main__":
    main()
