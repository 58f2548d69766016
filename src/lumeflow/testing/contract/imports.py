"""What importing a module brings in, found out in a fresh interpreter."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

HEAVY = (
    "aiohttp", "anthropic", "asyncpg", "boto3", "bs4", "cryptography", "fastapi", "genai_prices", "httpx", "jinja2",
    "jsonschema_rs", "lxml", "nltk", "numpy", "openai", "pandas", "phonenumbers", "polars", "pyarrow", "quickjs",
    "rapidfuzz", "requests", "rich", "scipy", "sklearn", "spacy", "sqlalchemy", "sqlite3", "tensorflow", "torch",
    "transformers", "typer", "urllib3", "uvicorn",
)  # fmt: skip
"""Libraries that take long to import, or hold connections: a block imports them where it uses them."""

_PROGRAM = """
import importlib, json, sys
heavy, modules = json.loads(sys.argv[1])
import lumeflow.plugin
acts = []
names = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.remove", "os.mkdir"}
sys.addaudithook(lambda event, arguments: acts.append(event) if event in names else None)
found = {}
for module in modules:
    before = {name for name in heavy if name in sys.modules}
    del acts[:]
    importlib.import_module(module)
    found[module] = [name for name in heavy if name in sys.modules and name not in before] + acts
print(json.dumps(found))
"""


@cache
def brought_in(modules: Sequence[str], path: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """By module: heavy libraries that its import brings in first, and whatever it does besides.

    Args:
        modules: Names of the modules, imported in this order.
        path: `sys.path` of the interpreter.

    Raises:
        ImportError: One of them can't be imported; the message is Python's own.
    """
    code = f"import sys; sys.path[:] = {list(path)!r}\n{_PROGRAM}"
    command = [sys.executable, "-B", "-c", code, json.dumps([HEAVY, list(modules)])]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this interpreter
    if ended.returncode:
        raise ImportError(ended.stderr.strip().rpartition("\n")[2])
    found: Mapping[str, Sequence[str]] = json.loads(ended.stdout)
    return found


def importable(module: str) -> tuple[str, Sequence[str]]:
    """Name and path under which a module that is loaded here can be imported again."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if module.startswith("_lumeflow_plugin_") and file:
        return Path(file).stem, (str(Path(file).parent), *sys.path)
    return module, tuple(sys.path)
