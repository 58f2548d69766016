"""The console that people read."""

import os
from typing import NoReturn

from rich.console import Console

WIDTH_OF_FILES = 120
"""Columns where there is no terminal that has a width; the variable COLUMNS overrides it."""


class PlainConsole(Console):
    """Rich's console, which leaves numbers and names uncoloured, and a closed pipe to the one place that handles it."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if not self.file.isatty() and "COLUMNS" not in os.environ:
            self.width = WIDTH_OF_FILES

    def on_broken_pipe(self) -> NoReturn:
        """Raise what happened, where rich would end the process."""
        raise BrokenPipeError
