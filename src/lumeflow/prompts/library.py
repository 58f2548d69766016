"""Finds prompts by name and version: the user's folders first, then those that come with lumeflow."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lumeflow.plugin import UsageError, did_you_mean
from lumeflow.prompts.prompt_file import PromptFile, read_prompt_file

BUILT_IN = Path(__file__).parent
"""The folder of the prompts that come with lumeflow."""

_REFERENCE = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)(?:@(?P<version>[1-9][0-9]{0,5}))?")
_FILE = re.compile(r"v([1-9][0-9]{0,5})\.md")


class PromptLibrary:
    """The installed prompts; implements `lumeflow.core.context.Prompts`.

    A prompt lies in `<folder>/<name>/v<version>.md`. Files are read when they are first asked for, once.

    Args:
        folders: The user's folders, the first one wins; the built-in prompts come last.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = (*folders, BUILT_IN)
        self._loaded: dict[str, PromptFile] = {}

    def load(self, reference: str) -> PromptFile:
        """Load `name` (the newest version in the first folder that has the prompt) or `name@3`.

        Raises:
            UsageError: No such prompt, or its file is not a prompt; the message names those that exist, or the line.
        """
        if reference not in self._loaded:
            name, version, path = self._find(reference)
            self._loaded[reference] = read_prompt_file(path, name, version)
        return self._loaded[reference]

    def installed(self) -> Iterator[tuple[str, int, Path]]:
        """Name, version and file of every prompt that can be loaded, by name and version."""
        seen: dict[tuple[str, int], Path] = {}
        for folder in self._folders:
            for home in _homes(folder):
                for version, path in _versions(home):
                    seen.setdefault((home.name, version), path)
        for (name, version), path in sorted(seen.items()):
            yield name, version, path

    def _find(self, reference: str) -> tuple[str, int, Path]:
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise UsageError(f"'{reference}' is not the name of a prompt; write 'name' or 'name@3'")
        name, wanted = match["name"], int(match["version"] or 0)
        found = []
        for folder in self._folders:
            versions = _versions(folder / name)
            found.extend(versions)
            fitting = [entry for entry in versions if wanted in {0, entry[0]}]
            if fitting:
                return name, *max(fitting)
        if found:
            there = ", ".join(str(version) for version in sorted({version for version, _ in found}))
            raise UsageError(f"the prompt '{name}' has no version {wanted}; there is {there}")
        known = {known for known, _, _ in self.installed()}
        raise UsageError(f"there is no prompt '{name}'." + did_you_mean(name, known))


def _homes(folder: Path) -> list[Path]:
    return sorted(home for home in folder.iterdir() if home.is_dir()) if folder.is_dir() else []


def _versions(home: Path) -> list[tuple[int, Path]]:
    if not home.is_dir():
        return []
    matches = ((_FILE.fullmatch(path.name), path) for path in home.iterdir())
    return sorted((int(match.group(1)), path) for match, path in matches if match)
