"""The console that people read."""

import os
from collections.abc import Iterable
from typing import NoReturn

from rich.console import Console
from rich.segment import Segment

from lumeflow.cli.visible import visible

WIDTH_OF_FILES = 120
"""Columns where there is no terminal that has a width; the variable COLUMNS overrides it."""


class PlainConsole(Console):
    """Rich's console, which leaves numbers and names uncoloured, and a closed pipe to the one place that handles it."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False)
        if not self.file.isatty() and "COLUMNS" not in os.environ:
            self.width = WIDTH_OF_FILES

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Text from documents, records and vendors must not steer the terminal."""
        segments = (part if part.control else Segment(visible(part.text), part.style) for part in buffer)
        return super()._render_buffer(segments)

    def on_broken_pipe(self) -> NoReturn:
        """Raise what happened, where rich would end the process."""
        raise BrokenPipeError
