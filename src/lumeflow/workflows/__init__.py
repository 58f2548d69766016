"""The workflows that are installed with lumeflow, as documents, and what to try them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

_SUFFIX = ".json"

PLAN = "lead-enrichment-v1"
DEMO_AUDIENCE: Mapping[str, Any] = {
    "id": "demo-audience",
    "name": "Friends of the Example Bakery",
    "type": "instagram",
    "urls": [f"https://www.instagram.com/p/Cexample{letter}/" for letter in "ABC"],
}


@dataclass(frozen=True, slots=True)
class Example:
    """What a workflow can be tried on, in demo mode: `metadata.example` of its document.

    Attributes:
        input: Input of the execution.
        tables: Rows by table name that must be there.
        files: Texts of files by path, relative to the working folder.
        variables: Values of `{{variables.x}}`.
        mocks: Demo answers in place of the simulator's.
        secrets: Invented values of `{{secrets.x}}`.
    """

    input: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    mocks: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The environment variables by which secrets are configured."""
        return {f"LUMEFLOW_SECRET_{name}": value for name, value in self.secrets.items()}


_OF_THE_PLAN = Example(input={"sourceAudienceId": DEMO_AUDIENCE["id"]}, tables={"source_audiences": [DEMO_AUDIENCE]})
"""The plan's document is shipped as it is, and so has no place for it."""


def names() -> list[str]:
    """Names of all installed workflows, in order."""
    return sorted(_shipped())


def source(name: str) -> bytes:
    """The document of an installed workflow, byte for byte.

    Raises:
        UsageError: There is none of this name; the message names the nearest.
    """
    known = _shipped()
    if name not in known:
        raise UsageError(f"there is no installed workflow '{name[:60]}'." + did_you_mean(name, known))
    return known[name].read_bytes()


def documents() -> dict[str, Mapping[str, Any]]:
    """All installed workflows by name, parsed."""
    import orjson

    return {name: orjson.loads(source(name)) for name in names()}


def example(name: str) -> Example:
    """What an installed workflow can be tried on.

    Raises:
        UsageError: There is none of this name; the message names the nearest.
    """
    import orjson

    document = orjson.loads(source(name))
    given = document.get("metadata", {}).get("example")
    return Example(**given) if given is not None else _OF_THE_PLAN if name == PLAN else Example()


@cache
def _shipped() -> Mapping[str, Traversable]:
    """Files by name: the plan's workflow here, the examples in their folder."""
    here = files(__name__)
    found = [entry for folder in (here, here / "examples") for entry in folder.iterdir()]
    return {entry.name.removesuffix(_SUFFIX): entry for entry in found if entry.name.endswith(_SUFFIX)}
