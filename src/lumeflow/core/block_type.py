"""The types of block. Apart from blocks themselves, so that a command line can name them without loading anything."""

from enum import StrEnum


class BlockType(StrEnum):
    """The eight types of block."""

    INPUT = "input"
    API = "api"
    AI = "ai"
    TRANSFORM = "transform"
    FILTER = "filter"
    BRANCH = "branch"
    MERGE = "merge"
    OUTPUT = "output"
