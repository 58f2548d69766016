"""The reference in docs/blocks: made from the blocks, and as they are now."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from lumeflow.core.registry import Registry
from lumeflow.plugin import Block, BlockConfig, BlockType, ConditionField, PathField, TemplateField
from lumeflow.plugins import load_registry
from lumeflow.reference import Docstring, page, pages_of, write_pages
from lumeflow.reference.config_tables import config_tables
from lumeflow.reference.folder import stale
from lumeflow.reference.short_json import short_json
from lumeflow.workflows import documents

FOLDER = Path(__file__).parents[2] / "docs" / "blocks"
REGISTRY, _ = load_registry(entry_points=False)
PAGES = pages_of(REGISTRY, documents())
MEND = "run `make reference` and commit what it changes"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_its_block(name):
    path = FOLDER / name
    assert path.is_file(), f"docs/blocks/{name} is missing: {MEND}"
    assert path.read_text(encoding="utf-8") == PAGES[name], f"docs/blocks/{name} is stale: {MEND}"


def test_there_is_no_page_without_a_block():
    assert stale(FOLDER, PAGES) == [], MEND


class Small(BaseModel):
    """A way to be small."""

    kind: Literal["small"] = Field(description="Selects it.")
    size: int = Field(default=3, ge=1, le=9, description="How small.")


class Large(BaseModel):
    """A way to be large."""

    kind: Literal["large"] = Field(description="Selects it.")
    inner: "Large | None" = Field(default=None, description="Another one.")


class Window(BaseModel):
    """A stretch of time."""

    seconds: float = Field(gt=0, description="Its length.")


class DemoConfig(BlockConfig):
    ratio: float | None = Field(default=0.5, ge=0, le=1, description="A share; null for none.")
    text: TemplateField = Field(description="What to say.")
    at: list[PathField] = Field(default_factory=list, max_length=3, description="Where.")
    when: ConditionField | None = Field(default=None, description="If a|b.")
    ways: list[Annotated[Small | Large, Field(discriminator="kind")]] = Field(min_length=1, description="How.")
    window: Window | None = Field(default=None, description="How long.")
    columns: dict[str, TemplateField] = Field(default_factory=dict, description="What.")
    operation: Literal["demo"] = Field(description="Selects this block.")


def rows(tables, heading=None):
    """The rows under a heading; those of the whole configuration without one."""
    part = tables.split(f"### {heading}\n", 1)[1] if heading else tables
    return [line for line in part.split("\n### ")[0].splitlines() if line.startswith("| `")]


def test_a_configuration_reads_well():
    tables = config_tables(DemoConfig, ["operation"])
    assert rows(tables) == [
        '| `operation` | `"demo"` | required | Selects this block. |',
        "| `text` | any value, may hold `{{…}}` | required | What to say. |",
        "| `ways` | list of [kind: small](#kind-small) or [kind: large](#kind-large) (not empty) | required | How. |",
        "| `ratio` | number (0 to 1) or `null` | `0.5` | A share; null for none. |",
        "| `at` | list of paths (at most 3 items) |  | Where. |",
        "| `when` | condition or list of conditions |  | If a\\|b. |",
        "| `window` | [Window](#window) |  | How long. |",
        "| `columns` | object, values may hold `{{…}}` |  | What. |",
        "| `collection` | text |  | Payload property that holds the records. |",
    ]
    assert rows(tables, "kind: small") == ["| `size` | whole number (1 to 9) | `3` | How small. |"]
    assert rows(tables, "kind: large") == ["| `inner` | [kind: large](#kind-large) |  | Another one. |"]
    assert rows(tables, "Window") == ["| `seconds` | number (more than 0) | required | Its length. |"]
    assert "### Window\n\nA stretch of time.\n" in tables


class Demo(Block[DemoConfig]):
    """Show
    what a page holds.

    More of it.

    Input: anything,
        in any order.
    Output: the same.

        Twice.
    """

    type = BlockType.TRANSFORM
    name = "demo"
    when = ({"operation": "demo"}, {"operation": "demo", "text": "x"})
    Config = DemoConfig

    def process(self, record, ctx):
        return record


def test_a_docstring_is_taken_apart():
    read = Docstring.of(Demo)
    assert (read.summary, read.more) == ("Show what a page holds.", "More of it.")
    assert read.sections == {"Input": "anything, in any order.", "Output": "the same.\n\nTwice."}


def test_a_block_without_a_docstring_has_an_empty_one():
    class Silent(Demo):
        name = "silent"

    assert Docstring.of(Silent) == Docstring("", "", {})


def test_a_page_tells_how_a_node_means_the_block():
    assert 'means this block if its `config` holds `"operation": "demo"`.' in page(Demo, REGISTRY)
    assert "means this block unless its `config` means another one." in PAGES["filter/fields.md"]
    assert "Its key is taken from `APOLLO_API_KEY`." in PAGES["api/apollo-people-match.md"]


def test_pages_of_blocks_that_are_gone_are_taken_away_and_other_files_are_not(tmp_path):
    registry = Registry()
    registry.add_block(Demo)
    (tmp_path / "transform").mkdir()
    (tmp_path / "transform" / "gone.md").write_text(page(Demo, registry))
    (tmp_path / "transform" / "notes.md").write_text("my own")
    shown = {
        "one": {"name": "One", "description": "It shows.", "nodes": [{"type": "transform", "config": Demo.when[0]}]}
    }
    written = write_pages(registry, shown, tmp_path)
    assert (written.pages, written.changed) == (3, ("README.md", "workflows.md", "transform/demo.md"))
    assert (
        "Shipped workflows that use it: [one](../workflows.md#one)." in (tmp_path / "transform" / "demo.md").read_text()
    )
    assert "**One.** It shows." in (tmp_path / "workflows.md").read_text()
    assert written.removed == ("transform/gone.md",)
    assert {path.name for path in (tmp_path / "transform").iterdir()} == {"demo.md", "notes.md"}
    again = write_pages(registry, shown, tmp_path)
    assert (again.changed, again.removed) == ((), ())


def test_json_stands_on_one_line_where_it_fits():
    assert short_json({"a": [1, None], "b": "é"}) == '{"a": [1, null], "b": "é"}'
    long = {"items": [{"name": "x" * 60}, {"name": "y" * 60}], "few": [1]}
    assert short_json(long).splitlines() == [
        "{",
        '  "items": [',
        f'    {{"name": "{"x" * 60}"}},',
        f'    {{"name": "{"y" * 60}"}}',
        "  ],",
        '  "few": [1]',
        "}",
    ]
