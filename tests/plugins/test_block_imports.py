"""Blocks and providers stand on `lumeflow.plugin` and `lumeflow.kit` alone, and are quick to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lumeflow

PACKAGE = Path(lumeflow.__file__).parent
MODULES = sorted(path for folder in ("blocks", "providers") for path in (PACKAGE / folder).rglob("*.py"))
HEAVY = ["aiohttp", "jinja2", "lark", "rich", "typer", "sqlite3", "jsonschema_rs", "genai_prices"]


@pytest.mark.parametrize("path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES])
def test_a_module_imports_from_plugin_and_kit_alone(path):
    for node in ast.walk(ast.parse(path.read_text())):
        imported = [node.module] if isinstance(node, ast.ImportFrom) else []
        imported += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in imported:
            if name.split(".")[0] == "lumeflow":
                assert name == "lumeflow.plugin" or name.startswith("lumeflow.kit"), name


def test_loading_all_blocks_loads_nothing_heavy():
    code = (
        "import sys; from lumeflow.plugins import load_registry; registry, problems = load_registry(entry_points=False);"
        f"print(problems, [name for name in {HEAVY} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[] []"
