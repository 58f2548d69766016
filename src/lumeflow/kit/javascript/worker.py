"""The process in which JavaScript runs: `python -I -S worker.py PATH…`. It sees nothing but its pipes.

Both ways go frames: four bytes with a length, then as many bytes. The first frame that comes is a JSON object with
`setup`, `program`, `now`, `seconds` and `bytes`, each further one a JSON list of records. To each goes one in return:
`=` and a JSON text, or `!` and what went wrong.
"""

import json
import os
import signal
import struct
import sys
import threading
import time
from typing import IO

OUT_OF_TIME = 70
"""Exit status. The engine asks whether its time is up between steps of JavaScript; what runs within one step (looking
through a list of a length of four billion) only ends with the process.
"""
_GRACE = 0.2
_LOOKS = 0.05


class Deadline:
    """Ends the process when a piece of work takes too much processor time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None
        self._at_work = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __enter__(self) -> None:
        self._until = time.process_time() + self._seconds
        self._at_work.set()

    def __exit__(self, *_: object) -> None:
        self._at_work.clear()
        self._until = None

    def _watch(self) -> None:
        while self._at_work.wait():
            time.sleep(_LOOKS)
            until = self._until
            if until is not None and time.process_time() > until:
                os._exit(OUT_OF_TIME)


def receive(source: IO[bytes]) -> bytes | None:
    """The next frame; None if there are no more."""
    head = source.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    data = source.read(length)
    return data if len(data) == length else None


def send(target: IO[bytes], data: bytes) -> None:
    """Send a frame."""
    target.write(struct.pack(">I", len(data)) + data)
    target.flush()


def main() -> None:
    """Answer frames until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; whoever started this process ends it
    sys.path.extend(sys.argv[1:])
    import quickjs  # type: ignore[import-untyped]

    source, target = sys.stdin.buffer, sys.stdout.buffer
    settings = json.loads(receive(source) or b"{}")
    deadline = Deadline(settings["seconds"] + _GRACE)
    context = quickjs.Context()
    context.set_memory_limit(settings["bytes"])
    context.set_time_limit(settings["seconds"])
    with deadline:
        judging = context.eval(settings["setup"])(settings["now"])
        judge = judging(context.eval(settings["program"]))
    send(target, b"=")
    while (batch := receive(source)) is not None:
        try:
            with deadline:
                answer = b"=" + judge(batch.decode()).encode()
        except Exception as error:
            answer = b"!" + str(error).partition("\n")[0].encode()
        send(target, answer)


if __name__ == "__main__":
    main()
