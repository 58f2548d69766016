"""`--server` and `--api-key`: where they stand, what they exclude, and what they refuse."""

import pytest

from lumeflow.cli.main import run
from lumeflow.cli.place import ANYWHERE, Place
from lumeflow.cli.remote.address import Address, read_key, read_url
from lumeflow.cli.remote.counting import counter_of
from lumeflow.cli.remote.stream import ServerEvent, events, lines
from lumeflow.cli.shell import Shell
from lumeflow.cli.writers import Format
from lumeflow.core.errors import UsageError

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path))
    for name in ("LUMEFLOW_SERVER", "LUMEFLOW_API_KEY", "LUMEFLOW_DB"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["executions", "list", "--db", "a.db", "--server", NOWHERE], "--db and --server both say where to work"),
        (["--db", "a.db", "executions", "list", "--server", NOWHERE], "--db and --server both say where to work"),
        (["--server", NOWHERE, "executions", "list"], "asks for an API key: put it into LUMEFLOW_API_KEY"),
        (["executions", "--server", NOWHERE, "list"], "asks for an API key"),
        (["executions", "list", "--api-key", "k"], "--api-key is for a server"),
        (["db", "version", "--api-key", "k"], "--api-key is for a server"),
        (["--server", NOWHERE, "db", "load", "t", "f"], "'lumeflow db load' works on this machine, not on a server"),
        (["serve", "--server", NOWHERE], "'lumeflow serve' works on this machine"),
        (["demo", "--server", NOWHERE], "'lumeflow demo' works on this machine"),
        (["run", "x", "--server", NOWHERE, "--api-key", "k", "--simulator", NOWHERE], "--simulator: which vendors"),
        (["executions", "list", "--server", "localhost:80", "--api-key", "k"], "not the URL of a server"),
        (["executions", "list", "--server", NOWHERE, "--api-key", "@nothing.key"], "'nothing.key' cannot be read"),
    ],
)
def test_what_does_not_go_together_is_told(capsys, words, message):
    assert run(words) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("words", [["executions", "list", "--db", "{}/a.db"], ["db", "upgrade"]])
def test_a_server_that_is_remembered_gives_way(capsys, monkeypatch, tmp_path, words):
    monkeypatch.setenv("LUMEFLOW_SERVER", NOWHERE)
    assert run([word.format(tmp_path) for word in words]) == 0
    capsys.readouterr()
    assert run(["executions", "list"]) == 2
    assert "asks for an API key" in capsys.readouterr().err


def test_the_option_nearest_to_the_end_wins(capsys, monkeypatch):
    monkeypatch.setenv("LUMEFLOW_API_KEY", "k")
    assert run(["--server", "http://first.invalid:1", "executions", "list", "--server", NOWHERE]) == 1
    assert f"cannot reach {NOWHERE}" in capsys.readouterr().err


def test_suggested_commands_stay_where_they_were_made(monkeypatch, tmp_path):
    place = Place(Address(NOWHERE, "secret-key"), ("--server", NOWHERE, "--api-key", "@my.key"))
    suggested = Shell(place=place).command("executions", "show", "x")
    assert suggested.endswith(f"executions show x --server {NOWHERE} --api-key @my.key")
    assert "secret-key" not in repr(place)
    assert Shell().command("executions", "show", "x").endswith("executions show x")
    monkeypatch.setenv("LUMEFLOW_SERVER", NOWHERE)
    assert Shell().command("executions", "show", "x").endswith(f"executions show x --db {tmp_path / 'lumeflow.db'}")


def test_help_shows_the_options_where_they_mean_something(capsys):
    for words, is_shown in ((["run"], True), (["executions", "list"], True), ([], True), (["serve"], False)):
        run([*words, "--help"])
        assert ("--server" in capsys.readouterr().out) == is_shown


def test_the_commands_that_work_anywhere_are_there():
    from test_cli_docs import COMMANDS

    assert set(COMMANDS) >= ANYWHERE


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "ftp://a.example", "http://", "http://a.example:99999", "http://[::1", "http://a.example?x=1"),
        *("http://me:secret@a.example", "http://a.example/#x", "http://a.example/\x1b", "https://a.example/é"),
    ],
)
def test_what_is_no_url_of_a_server(text):
    with pytest.raises(UsageError) as error:
        read_url(text, "--server")
    assert "secret" not in str(error.value)


def test_urls_of_servers():
    assert read_url(" https://a.example/lumeflow/ ", "--server") == "https://a.example/lumeflow"
    assert read_url("http://[::1]:8080", "--server") == "http://[::1]:8080"


def test_keys_are_read_from_files_and_never_quoted(tmp_path):
    file = tmp_path / "key"
    file.write_text("lf_abc\n")
    assert read_key(f"@{file}", "--api-key") == "lf_abc"
    for content in ("", "two words", "a\r\nX-Other: 1", "ä", "x" * 2000):
        file.write_text(content)
        with pytest.raises(UsageError) as error:
            read_key(f"@{file}", "--api-key")
        assert not content or content not in str(error.value)
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="holds no key"):
        read_key(f"@{file}", "--api-key")


async def pieces(data, size):
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_streams_are_taken_apart_however_they_are_cut(size):
    data = b'retry: 1\n\n: here\n\nid: 7\nevent: a\ndata: {"x":\ndata: 1}\n\ndata:y\r\n\r\nevent: cut\ndata: off'
    found = [event async for event in events(pieces(data, size))]
    assert found == [None, None, ServerEvent("a", b'{"x":\n1}', 7), ServerEvent("message", b"y", None)]
    assert [line async for line in lines(pieces(b"a\nbb\n\nc", size))] == [b"a", b"bb", b"", b"c"]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("form", "data", "number"),
    [
        (Format.JSON, b"[]\n", 0),
        (Format.JSON, b'[\n{"a":"\\n"},\n{}\n]\n', 2),
        (Format.JSONL, b"", 0),
        (Format.JSONL, b"{}\n{}\n{}\n", 3),
        (Format.CSV, b"", 0),
        (Format.CSV, b"a\r\n", 0),
        (Format.CSV, b'a,"b\n""c"""\r\n1,"x\r\ny"\r\n"""\n",2\r\n', 2),
    ],
)
async def test_records_are_counted_while_they_pass(form, data, number, size):
    counter = counter_of(form)
    async for piece in pieces(data, size):
        counter.see(piece)
    assert counter.records == number
