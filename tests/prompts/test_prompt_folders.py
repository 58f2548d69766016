"""Prompts of the user's own: folders that the environment names, used by the whole application."""

import orjson
import pytest

from lumeflow import Mode, Settings, UsageError
from lumeflow.app import open_app

PROMPT = """+++
name = "shout"
version = {version}
[variables]
word = "What to shout."
+++
# user
{text}
"""
DOCUMENT = {
    "workflowId": "shout",
    "name": "Shout",
    "nodes": [
        {"id": "in", "type": "input", "config": {"source": "static", "data": {"words": [{"word": "hello"}]}}},
        {
            "id": "ask",
            "type": "ai",
            "config": {
                "provider": "anthropic",
                "model": "claude-haiku-4-5",
                "promptTemplate": "shout",
                "mapping": {"word": "{{input.word}}"},
            },
        },
        {"id": "out", "type": "output", "config": {"destination": "json"}},
    ],
    "edges": [{"source": "in", "target": "ask"}, {"source": "ask", "target": "out"}],
}


@pytest.fixture
def install(tmp_path):
    def write(version, text="Shout {{ word }}!", folder="prompts"):
        home = tmp_path / folder / "shout"
        home.mkdir(parents=True, exist_ok=True)
        (home / f"v{version}.md").write_text(PROMPT.format(version=version, text=text))
        return tmp_path / folder

    return write


async def run(tmp_path, folders, document=DOCUMENT):
    environ = {
        "LUMEFLOW_DATA_DIR": str(tmp_path / "data"),
        "LUMEFLOW_DB": str(tmp_path / "x.db"),
        "LUMEFLOW_PROMPTS": folders,
    }
    async with open_app(Settings.from_environment(environ)) as app:
        return await app.execute(document, mode=Mode.DEMO)


async def test_a_workflow_uses_the_prompts_of_a_folder(tmp_path, install):
    folder = install(1)

    result = await run(tmp_path, str(folder))

    assert result.status == "completed"
    written = next((tmp_path / "data").rglob("*.json"))
    # What the simulated model says to a question of 12 characters.
    assert "Your message has 12 characters" in orjson.loads(written.read_bytes())["words"][0]["answer"]


async def test_the_first_folder_that_has_a_prompt_wins(tmp_path, install):
    first, second = install(1, "{{ word }}", "first"), install(2, "Shout {{ word }}!", "second")

    await run(tmp_path, f"{first}:{second}")

    written = next((tmp_path / "data").rglob("*.json"))
    assert "Your message has 5 characters" in orjson.loads(written.read_bytes())["words"][0]["answer"]


async def test_a_broken_prompt_is_told_by_name_and_place_and_nothing_is_asked(tmp_path, install):
    folder = install(1, "Shout {{ wrd }}!")

    result = await run(tmp_path, str(folder))

    assert result.status == "failed"
    assert "shout/v1.md:8: the variable 'wrd' is not among the front matter's [variables]" in str(result.error)
    assert result.cost.api_calls == 0


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(UsageError, match=r"LUMEFLOW_PROMPTS: there is no folder .*nowhere"):
        Settings.from_environment({"LUMEFLOW_PROMPTS": str(tmp_path / "nowhere")})
