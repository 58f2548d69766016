"""Every command and example of the pages is run, and every link leads somewhere."""

import re
from inspect import signature

import pytest

import lumeflow
from lumeflow.plugins import load_registry
from tests.docs.pages import PAGES, ROOT, anchors, fences, links
from tests.docs.reader import KEYS, VENDORS, Reader

FOLLOWED = [
    "README.md",
    "docs/README.md",
    "docs/architecture.md",
    "docs/http-api.md",
    "docs/http-block.md",
    "docs/language-models.md",
    "docs/python-api.md",
    "docs/running-a-server.md",
    "docs/secrets.md",
    "docs/webhooks.md",
]
"""Pages that are read from top to bottom here."""
ELSEWHERE = {
    "docs/command-line.md": "tests/cli/test_cli_docs.py",
    "docs/expressions.md": "tests/core/expressions/test_expression_reference.py",
    "docs/simulator.md": "tests/simulator/test_simulator_docs.py",
    "docs/workflows.md": "tests/core/validate/test_workflows_doc.py",
    "docs/writing-blocks.md": "tests/plugins/test_writing_blocks_guide.py",
}
"""Pages that have tests of their own."""
REFERENCE = "docs/blocks/"
"""Folder of pages that are made from the blocks; tests/plugins/test_reference.py compares them."""
NAMES = {str(page.relative_to(ROOT)): page for page in PAGES}


@pytest.fixture
def reader(tmp_path, monkeypatch, vendors):
    for name in (
        "LUMEFLOW_DB",
        "LUMEFLOW_PLUGINS",
        "LUMEFLOW_PROMPTS",
        "LUMEFLOW_SECRETS",
        "NO_COLOR",
        "FORCE_COLOR",
        *KEYS,
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    reader = Reader(tmp_path, vendors, monkeypatch.setenv)
    yield reader
    reader.close()


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_page_can_be_followed(name, reader):
    for fence in fences(NAMES[name]):
        try:
            reader.follow(fence)
        except Exception as error:
            error.add_note(f"in the block at {fence.place}")
            raise


def test_every_page_with_examples_is_checked():
    pages = {name: page for name, page in NAMES.items() if not name.startswith(REFERENCE)}
    with_examples = {name for name, page in pages.items() if any(fence.language for fence in fences(page))}
    assert with_examples <= {*FOLLOWED, *ELSEWHERE}
    for page, test in ELSEWHERE.items():
        assert page.rpartition("/")[2] in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name):
    for link in links(NAMES[name]):
        path, _, anchor = link.partition("#")
        target = (NAMES[name].parent / path).resolve() if path else NAMES[name]
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("docs/") and name != "docs/README.md"])
def test_every_page_is_in_an_index(name):
    index = (
        f"{REFERENCE}README.md" if name.startswith(REFERENCE) and not name.endswith("README.md") else "docs/README.md"
    )
    linked = {(NAMES[index].parent / link).resolve() for link in links(NAMES[index])}
    assert NAMES[name] in linked, f"link {name} from {index}"


def test_every_part_of_the_package_has_its_place():
    page = NAMES["docs/architecture.md"].read_text(encoding="utf-8")
    parts = [path for path in (ROOT / "src" / "lumeflow").iterdir() if not path.name.startswith(("__pycache__", "."))]
    assert [path.name for path in parts if not re.search(rf"[`\s]{re.escape(path.name)}[/`\s]", page)] == []


def test_the_python_page_names_everything_public():
    page = NAMES["docs/python-api.md"].read_text(encoding="utf-8")
    arguments = [*signature(lumeflow.App.execute).parameters, *signature(lumeflow.ExecutionContext).parameters]
    wanted = [*lumeflow.__all__, *(name for name in arguments if name != "self")]
    assert [name for name in wanted if f"`{name}`" not in page] == []


def test_the_readme_opens_with_two_commands():
    first = fences(ROOT / "README.md")[0]
    assert [line.partition("#")[0].strip() for line in first.text.splitlines()] == ["make demo", "make test"]


def test_the_readme_names_every_vendor_and_its_key():
    providers = load_registry(entry_points=False)[0].providers()
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Run it on real vendors")[2]
    told = dict(re.findall(r"^\| (\w+) \| `([A-Z_]+)` \|$", section, re.MULTILINE))
    assert {name.lower(): key for name, key in told.items()} == {
        p.name: p.key_name for p in providers.values() if p.key_name
    }
    assert (set(told.values()), {name.lower() for name in told}) == (set(KEYS), set(VENDORS))
