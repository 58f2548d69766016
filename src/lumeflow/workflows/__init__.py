"""The workflows that are installed with lumeflow, as documents."""

from importlib.resources import files

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

_SUFFIX = ".json"


def names() -> list[str]:
    """Names of all installed workflows, in order."""
    found = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))


def source(name: str) -> bytes:
    """The document of an installed workflow, byte for byte.

    Raises:
        UsageError: There is none of this name; the message names the nearest.
    """
    known = names()
    if name not in known:
        raise UsageError(f"there is no installed workflow '{name[:60]}'." + did_you_mean(name, known))
    return files(__name__).joinpath(name + _SUFFIX).read_bytes()
