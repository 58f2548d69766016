"""The simulator in a process of its own, with rate limits that make a run last long enough to be measured."""

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson

LIMITS = {"openrouter": (8, 1.0), "apollo": (150, 1.0), "hunter": (100, 1.0), "mixedbread": (25, 1.0)}
STAGES = {
    "openrouter": "openrouter/chat-free",
    "apollo": "apollo/people-match",
    "hunter": "hunter/email-finder",
    "mixedbread": "mixedbread/embeddings",
}
ITEMS_PER_SECOND = 2000.0


@contextmanager
def simulator() -> Iterator[str]:
    """Start it, give its address, end it."""
    command = [sys.executable, "-m", "lumeflow", "simulate", "--port", "0", "--comments", "1000"]
    for provider, (calls, seconds) in LIMITS.items():
        command += ["--limit", f"{provider}={calls}/{seconds:g}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"})
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def bill(address: str) -> Any:
    """What was called and charged since the last reset."""
    with urllib.request.urlopen(address + "/_simulator/bill") as answer:
        return orjson.loads(answer.read())


def reset(address: str, changes: Mapping[str, Any] | None = None) -> None:
    """Forget everything; optionally go on with other settings."""
    body = orjson.dumps(changes) if changes else None
    urllib.request.urlopen(urllib.request.Request(address + "/_simulator/reset", body, method="POST")).close()


def physical_limit(address: str, comments: int, found: Any) -> float:
    """Seconds that nobody can beat: the slowest provider's last possible start, plus one passage through each stage."""
    with urllib.request.urlopen(address + "/_simulator/settings") as answer:
        latencies = orjson.loads(answer.read())["latencies"]
    slowest = comments / ITEMS_PER_SECOND
    for provider, (calls, seconds) in LIMITS.items():
        made = found["providers"][provider]["distinct"]
        slowest = max(slowest, (made - 1) // calls * seconds)
    first_comments = latencies["apify/run-start"] + 0.1 + latencies["apify/dataset-items"]
    return float(slowest + first_comments + sum(latencies[operation] for operation in STAGES.values()))
