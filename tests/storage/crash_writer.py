"""Run as a process of its own and killed: calls through the ledger, tells on stdout what was acknowledged."""

import asyncio
import sys
from itertools import count

from lumeflow.core.journal import Status
from lumeflow.storage import open_database
from tests.storage.build import EXECUTION, NOON, answered, claim, execution, key, record

NUMBERS = count()


def tell(word: str, number: int) -> None:
    sys.stdout.write(f"{word} {number}\n")
    sys.stdout.flush()


async def caller(database, ledger, most: int) -> None:
    for number in NUMBERS:
        if number >= most:
            return
        await ledger.claim(claim(key(number)))
        tell("claimed", number)
        await ledger.answer(key(number), answered(body=b"%d" % number))
        tell("answered", number)
        await database.journal.keep(EXECUTION, [record(number)])
        if number % 20 == 0:
            await database.journal.flush()
            tell("kept", number)


async def main(path: str, callers: int, most: int) -> None:
    database = await open_database(path)
    lock = await database.take(EXECUTION)
    await database.journal.begin(execution())
    tell("begun", 0)
    await asyncio.gather(*(caller(database, lock.ledger, most) for _ in range(callers)))
    await database.journal.finish(EXECUTION, Status.COMPLETED, [], completed_at=NOON, output=None, error=None)
    tell("finished", 0)
    lock.release()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
