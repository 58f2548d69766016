"""What a user hands over on the command line: documents, JSON, times, variables."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from lumeflow.core.errors import UsageError
from lumeflow.core.findings import did_you_mean

STDIN = "-"


def read_workflow(file: str) -> bytes | str:
    """The bytes of a workflow: of a file or of standard input (`-`); or the name of one, if there is no such file.

    Raises:
        UsageError: It cannot be read.
    """
    if file == STDIN:
        return _stdin()
    path = Path(file)
    return _bytes_of(path) if path.exists() else file


def read_document(file: str) -> bytes:
    """The bytes of a workflow: of a file, of standard input (`-`), or of the shipped workflow of this name.

    Raises:
        UsageError: There is no such file and no such workflow, or it cannot be read.
    """
    found = read_workflow(file)
    if isinstance(found, bytes):
        return found
    from lumeflow.workflows import names, source

    shipped = names()
    if file in shipped:
        return source(file)
    raise UsageError(f"there is no file '{file}', and no shipped workflow of this name." + did_you_mean(file, shipped))


def read_input(text: str) -> dict[str, Any]:
    """The JSON object of `--input`: itself, `@FILE`, or `-` for standard input.

    Raises:
        UsageError: It cannot be read, is not JSON (with line and column), or is not an object.
    """
    if text == STDIN:
        return json_object(_stdin(), "standard input")
    if text.startswith("@"):
        return json_object(_bytes_of(Path(text[1:])), text[1:])
    try:
        return json_object(text.encode(errors="surrogateescape"), "--input")
    except UsageError as error:
        if not text.lstrip().startswith(("{", "[")) and Path(text).is_file():
            raise UsageError(f"{error} There is a file of this name: write --input @{text}") from error
        raise


def read_mocks(file: str) -> dict[str, Any]:
    """The JSON object of a file of demo answers.

    Raises:
        UsageError: It cannot be read, is not JSON, or is not an object.
    """
    return json_object(_bytes_of(Path(file)), file, example='{"apollo": {"person": null}}')


def json_object(data: bytes, name: str, *, example: str = '{"sourceAudienceId": "audience-1"}') -> dict[str, Any]:
    """Parse a JSON object; `name` says where it comes from, `example` what it might be.

    Raises:
        UsageError: The bytes are not UTF-8, not JSON, or another kind of value.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name} is not UTF-8 text: line {line} holds the byte 0x{data[error.start]:02x}.") from error
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        message = f"{name} is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        raise UsageError(message) from error
    if not isinstance(value, dict):
        found = {list: "an array", str: "a string", type(None): "null", bool: "a boolean"}.get(type(value), "a number")
        raise UsageError(f"{name} must be a JSON object such as {example}; found {found}.")
    return value


def read_now(text: str | None) -> datetime | None:
    """The time of `--now`; one without an offset is meant in UTC.

    Raises:
        UsageError: It is not ISO 8601.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--now: '{text}' is not an ISO 8601 time such as 2026-01-09T10:00:00Z.") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_variables(pairs: Sequence[str]) -> dict[str, Any]:
    """Values of `{{variables.x}}`: `name=text`, or `name:=JSON` for a number, a list and so on.

    Raises:
        UsageError: A pair is not of either form, or a name is given twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        typed = name.endswith(":")
        name = name.removesuffix(":").strip()
        if not equals or not name:
            raise UsageError(f"--var: '{pair}' is not of the form name=text or name:=JSON.")
        if name in values:
            raise UsageError(f"--var: '{name}' is given twice.")
        values[name] = _json_value(name, text) if typed else text
    return values


def read_numbers(option: str, pairs: Sequence[str]) -> dict[str, int | float]:
    """Numbers by name: `name=20` or `name=0.5`.

    Raises:
        UsageError: A pair is not of this form.
    """
    values: dict[str, int | float] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            values[name.strip()] = int(text) if text.strip().isdecimal() else float(text)
        except ValueError as error:
            raise UsageError(f"{option}: '{pair}' is not of the form name=number.") from error
    return values


def read_uploads(pairs: Sequence[str], given: Mapping[str, Any]) -> dict[str, Path]:
    """Files by the key of the input that is to name them: `file=contacts.csv`.

    Raises:
        UsageError: A pair is not of this form, there is no such file, or the input names the key already.
    """
    files: dict[str, Path] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip() or not text:
            raise UsageError(f"--upload: '{pair}' is not of the form name=FILE, such as file=contacts.csv.")
        if name.strip() in files or name.strip() in given:
            raise UsageError(f"--upload: '{name.strip()}' is given twice, or stands in --input.")
        if not Path(text).is_file():
            raise UsageError(f"--upload: there is no file '{text}'.")
        files[name.strip()] = Path(text)
    return files


def _json_value(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        hint = f"for a text write {name}={text}"
        message = f"--var: '{name}' is not valid JSON: column {error.colno}: {error.msg}; {hint}"
        raise UsageError(message) from error


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"there is no file '{path}'.") from error
    except OSError as error:
        raise UsageError(f"'{path}' cannot be read: {error.strerror}.") from error


def _stdin() -> bytes:
    if sys.stdin.isatty():
        sys.stderr.write("reading standard input; end with Ctrl-D\n")
    return sys.stdin.buffer.read()
