"""Run as a process of its own: at a word from stdin it takes, or begins, an execution, and tells how that ended."""

import asyncio
import sys

from lumeflow.core.errors import UsageError
from lumeflow.core.journal import AlreadyExists
from lumeflow.storage import open_database
from tests.storage.build import EXECUTION, execution


def tell(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


async def main(path: str) -> None:
    database = await open_database(path)
    tell("ready")
    for line in sys.stdin:
        try:
            await (database.begin(execution()) if line == "begin\n" else database.take(EXECUTION))
            tell("won")
        except (UsageError, AlreadyExists) as error:
            tell(str(error))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
