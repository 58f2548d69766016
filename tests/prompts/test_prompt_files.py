"""Prompt files: what a right one gives, and the line that a wrong one is told."""

import subprocess
import sys

import jsonschema_rs
import orjson
import pytest

from lumeflow.kit.models.strict_schema import is_strict
from lumeflow.plugin import UsageError
from lumeflow.prompts import BUILT_IN, PromptLibrary

GREETING = """+++
name = "greet"
version = 1
description = "Says hello."

[variables]
person = "Whom to greet."
tone = { description = "How.", default = "friendly" }
+++

# system

You are {{ tone }}.

# example: user

Greet Mira.

# example: assistant

Hello, Mira!

# user

Greet {{ person }}.
# A heading of the text itself

# answer

```json
{"type": "object"}
```
"""


@pytest.fixture
def install(tmp_path):
    def write(text, name="greet", version=1, folder="prompts"):
        home = tmp_path / folder / name
        home.mkdir(parents=True, exist_ok=True)
        path = home / f"v{version}.md"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def library(tmp_path):
    return PromptLibrary([tmp_path / "prompts"])


def test_a_prompt_becomes_messages_in_order(install, library):
    install(GREETING)

    prompt = library.load("greet")

    assert (prompt.name, prompt.version, prompt.description) == ("greet", 1, "Says hello.")
    assert prompt.answer_schema == {"type": "object"}
    assert prompt.messages({"person": "Lena", "unknown": 7}) == [
        {"role": "system", "content": "You are friendly."},
        {"role": "user", "content": "Greet Mira."},
        {"role": "assistant", "content": "Hello, Mira!"},
        {"role": "user", "content": "Greet Lena.\n# A heading of the text itself"},
    ]


def test_values_are_text_and_never_templates(install, library):
    install(GREETING)

    message = library.load("greet").messages({"person": "{{ tone }} <b>&</b>", "tone": "curt"})[-1]

    assert message["content"].startswith("Greet {{ tone }} <b>&</b>.")


def test_a_missing_value_is_named(install, library):
    install(GREETING)

    with pytest.raises(UsageError, match="the prompt 'greet@1' needs a value for 'person'"):
        library.load("greet").messages({"tone": "curt"})


def test_a_prompt_without_answer_has_an_empty_schema(install, library):
    install(GREETING.partition("# answer")[0])

    assert library.load("greet").answer_schema == {}


@pytest.mark.parametrize("reference", ["greet", "greet@2"])
def test_the_newest_version_is_taken(install, library, reference):
    install(GREETING)
    install(GREETING.replace("version = 1", "version = 2").replace("Greet {{", "Salute {{"), version=2)

    assert library.load(reference).version == 2
    assert library.load("greet@1").version == 1


def test_the_first_folder_wins(install, tmp_path):
    install(GREETING.replace("friendly", "curt"), folder="mine")
    install(GREETING.replace("version = 1", "version = 3"), version=3, folder="theirs")
    library = PromptLibrary([tmp_path / "mine", tmp_path / "theirs", tmp_path / "missing"])

    assert library.load("greet").version == 1
    assert library.load("greet@3").version == 3
    assert library.load("greet@1").messages({"person": "x"})[0]["content"] == "You are curt."


def test_a_user_prompt_stands_before_a_built_in_one(install, library):
    name = "extract-contacts-from-comments"
    install(GREETING.replace('"greet"', f'"{name}"'), name=name)

    assert library.load(name).description == "Says hello."


def test_what_is_installed_is_listed(install, library):
    install(GREETING)
    install(GREETING.replace("version = 1", "version = 10"), version=10)
    install("not a prompt", name="notes", version="x")

    assert [(name, version) for name, version, _ in library.installed()] == [
        ("analyze-sentiment", 1),
        ("extract-contacts-from-comments", 1),
        ("greet", 1),
        ("greet", 10),
        ("infer-interests", 1),
    ]


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("gret", "there is no prompt 'gret'. Did you mean 'greet'?"),
        ("zzz", "Known: analyze-sentiment, extract-contacts-from-comments, greet, infer-interests."),
        ("greet@7", "the prompt 'greet' has no version 7; there is 1"),
        ("../greet", "is not the name of a prompt"),
        ("greet@", "is not the name of a prompt"),
        ("greet@0", "is not the name of a prompt"),
        ("", "is not the name of a prompt"),
        ("Greet", "is not the name of a prompt"),
    ],
)
def test_a_prompt_that_is_not_there(install, library, reference, told):
    install(GREETING)

    with pytest.raises(UsageError) as caught:
        library.load(reference)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("+++\nname", "name", 1, "begins with a line '+++'"),
        ("}\n+++\n", "}\n", 31, "no closing line '+++'"),
        ('name = "greet"', 'name = "greet', 2, "Illegal character"),
        ("version = 1", "version = ", 3, "Invalid value"),
        ("version = 1", 'version = "1"', 1, "a whole number 'version'"),
        ('name = "greet"', 'name = "gret"', 1, "name 'gret' and version 1, but file and folder say 'greet' and 1"),
        ("version = 1", "version = 2", 1, "version 2"),
        ("description = ", "descripton = ", 4, "unknown key 'descripton'. Did you mean 'description'?"),
        ("[variables]", "variables = 7\n[other]", 7, "unknown key 'other'"),
        ('person = "Whom to greet."', "person = 7", 7, "variable 'person' must be a description"),
        ("default =", "defalt =", 8, "variable 'tone' must be"),
        ("# system\n", "Hello\n# system\n", 11, "text before the first section"),
        ("# user\n", "# usr\n", None, "lacks a section '# user'"),
        ("# example: user\n", "# user\n", 23, "a second section '# user'"),
        ("You are {{ tone }}.", "", 11, "'# system' is empty"),
        ("# example: assistant\n", "# example: user\n", 19, "expected '# example: assistant', found '# example: user'"),
        ("# example: assistant\n\nHello, Mira!\n", "", 15, "has no '# example: assistant'"),
        ("Greet {{ person }}.", "Greet {{ persn }}.", 25, "'persn' is not among the front matter's [variables]"),
        ("Greet {{ person }}.", "Greet\n\n{{ persn }}.", 27, "Did you mean 'person'?"),
        ("Greet {{ person }}.", "Greet\n{{ person }.", 26, "unexpected '}'"),
        ("{{ person }}", "{% if person %}", 25, "Unexpected end of template"),
        ("```json\n", "", 30, "expected a code fence"),
        ('{"type": "object"}', '{"type":\n"object"', 32, "not JSON"),
        ('{"type": "object"}', "[]", 31, "a JSON Schema is an object"),
    ],
)
def test_a_wrong_file_is_told_its_line(install, library, old, new, line, told):
    assert old in GREETING
    path = install(GREETING.replace(old, new, 1))

    with pytest.raises(UsageError) as caught:
        library.load("greet")

    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"+++\nname = \xff\n", ":2: is not UTF-8 text"), (b"+++\n" + b"x" * 1_000_001, "is larger than")],
)
def test_what_is_not_text_is_refused(install, library, data, told):
    install(data)

    with pytest.raises(UsageError, match=told):
        library.load("greet")


def test_a_file_that_cannot_be_read_is_named(install, library):
    path = install(GREETING)
    path.unlink()
    path.mkdir()

    with pytest.raises(UsageError, match=r"v1\.md: cannot be read: Is a directory"):
        library.load("greet")


@pytest.mark.parametrize(
    "hostile", ["{{ person.__class__.mro() }}", "{{ person | nonsense_attribute }}", "{{ person / 2 }}"]
)
def test_a_template_that_fails_says_where_and_not_on_what(install, library, hostile):
    install(GREETING.replace("{{ person }}", hostile))

    with pytest.raises(UsageError, match=r"v1\.md:25: ") as caught:
        library.load("greet").messages({"person": "Lena Okafor"})
    assert "Okafor" not in str(caught.value)


# --- the built-in prompt


LINES = {"extract-contacts-from-comments": "comments", "infer-interests": "records", "analyze-sentiment": "texts"}
EVERY_BUILT_IN = pytest.mark.parametrize("name", LINES)


def test_every_built_in_prompt_is_tried_here():
    assert {name for name, _, path in PromptLibrary().installed() if path.is_relative_to(BUILT_IN)} == set(LINES)


@EVERY_BUILT_IN
def test_a_built_in_prompt_asks_for_what_its_example_answers(name):
    prompt = PromptLibrary().load(name)
    messages = prompt.messages({LINES[name]: '{"id":"c1","text":"Hi"}'})

    validator = jsonschema_rs.validator_for(dict(prompt.answer_schema))
    example = next(message["content"] for message in messages if message["role"] == "assistant")

    validator.validate(orjson.loads(example))
    assert messages[-1]["content"] == '{"id":"c1","text":"Hi"}'
    again = prompt.messages({LINES[name]: '{"id":"c1","text":"Hi"}', "problem": "c1: missing"})[-1]["content"]
    assert again.splitlines()[0].startswith("Your previous answer could not be used (c1: missing).")
    assert again.splitlines()[-1] == '{"id":"c1","text":"Hi"}'


def strict(schema):
    """All objects of a schema, each with what strict structured output demands of it."""
    for value in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from strict(value)
    if isinstance(schema, dict) and schema.get("type") == "object":
        yield schema["additionalProperties"] is False and sorted(schema["required"]) == sorted(schema["properties"])


@EVERY_BUILT_IN
def test_a_built_in_schema_is_strict(name):
    schema = PromptLibrary().load(name).answer_schema

    found = list(strict(schema))

    assert len(found) >= 2
    assert all(found)
    assert is_strict(schema)


def test_jinja_is_not_imported_before_a_prompt_is_loaded():
    code = (
        "import sys, lumeflow.prompts, lumeflow.blocks.ai.contact_extraction, lumeflow.blocks.ai.openrouter\n"
        "from lumeflow.providers import apify, apollo, hunter, mixedbread, openrouter\n"
        "print([name for name in ('jinja2', 'jsonschema_rs', 'aiohttp', 'tomllib') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


def test_an_answer_schema_must_be_one(install, library):
    install(GREETING.replace('{"type": "object"}', '{"type": "objekt"}'))

    with pytest.raises(UsageError, match=r"v1\.md:\d+: not a JSON Schema"):
        library.load("greet")
