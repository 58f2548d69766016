"""The door by which blocks and operations come in: installed packages, the user's folders, and the built-ins too."""

import hashlib
import pkgutil
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from lumeflow.core.errors import LumeflowError
from lumeflow.core.registry import Registry

GROUP = "lumeflow.plugins"
"""Entry points of this group name a module, a package of modules, or one class as `module:Class`."""

BUILT_IN = {"lumeflow-blocks": "lumeflow.blocks", "lumeflow-providers": "lumeflow.providers"}
"""This package's own entry points; taken from here where it runs without being installed."""


NO_PLUGINS = ("_", "test_", "conftest.py")
"""What names of files begin with that stand in a plugin folder and are none: helpers, and the plugins' tests."""


_PRIVATE = "_lumeflow_plugin_"
_PRIVATE_NAME = re.compile(rf"{_PRIVATE}[0-9a-f]+_([\w-]+)")
"""Names under which files of plugin folders are imported."""


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """A plugin, or a module of one, that could not be used; the rest are.

    Attributes:
        name: Name of the entry point or the module, or path of the file.
        error: What went wrong, and where; one line.
    """

    name: str
    error: str

    def __str__(self) -> str:
        return f"plugin '{self.name}': {self.error}"


def load_registry(folders: Iterable[Path] = (), *, entry_points: bool = True) -> tuple[Registry, list[PluginProblem]]:
    """Make the catalogue of all blocks and operations.

    Args:
        folders: The user's folders; each `*.py` in them is a plugin, except those that `NO_PLUGINS` names.
        entry_points: False to leave out the packages that are installed beside this one.

    Returns:
        The catalogue, and what could not be used.
    """
    loader = _Loader()
    for point in _points(others=entry_points):
        loader.add_entry_point(point)
    for folder in folders:
        loader.add_folder(folder)
    return loader.registry, loader.problems


def _points(*, others: bool) -> Sequence[metadata.EntryPoint]:
    """The built-ins first, so that nothing can take their names; then the others by name, whatever is found first."""
    built_in = [metadata.EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()]
    if not others:
        return built_in
    found = {point for point in metadata.entry_points(group=GROUP) if point.value not in BUILT_IN.values()}
    return [*built_in, *sorted(found, key=lambda point: (point.name, point.value))]


class _Loader:
    def __init__(self) -> None:
        self.registry = Registry()
        self.problems: list[PluginProblem] = []

    def add_entry_point(self, point: metadata.EntryPoint) -> None:
        """Load what an entry point names."""
        with self._noting(point.name):
            loaded = point.load()
            if isinstance(loaded, ModuleType):
                self._add_modules(loaded)
            else:
                self.registry.add_from([loaded])

    def add_folder(self, folder: Path) -> None:
        """Load the files of a user's folder, by name."""
        if not folder.is_dir():
            self.problems.append(PluginProblem(str(folder), "no such folder"))
            return
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith(NO_PLUGINS):
                with self._noting(str(path)):
                    self.registry.add_from(vars(_load_file(path)).values())

    def _add_modules(self, module: ModuleType) -> None:
        """Register what a module defines and, if it is a package, what its modules do; each of them fails alone."""
        self.registry.add_from(vars(module).values())
        for info in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{module.__name__}."):
            if not info.name.rpartition(".")[2].startswith("_"):
                with self._noting(info.name):
                    self._add_modules(import_module(info.name))

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as error:  # whatever a plugin does, the others load
            self.problems.append(PluginProblem(name, _described(error)))


def _load_file(path: Path) -> ModuleType:
    """Import a file under a name of its own, so that it can neither hide an installed module nor be one."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    name = f"{_PRIVATE}{digest}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pydantic look a class's module up by its name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _described(error: BaseException) -> str:
    first_line = _PRIVATE_NAME.sub(r"\1.py", str(error).strip().partition("\n")[0])
    if isinstance(error, LumeflowError | SyntaxError):
        return f"{type(error).__name__}: {first_line}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen")]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first_line}{place}"
