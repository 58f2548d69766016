"""Secrets in files, as Docker and Kubernetes hand them over: a folder with one file a secret, or a file of lines.

A name is `NAME`, of the tenant `default`, or `TENANT/NAME`: in a folder that is a folder in it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lumeflow.core.errors import UsageError
from lumeflow.core.secret import Secret

VARIABLE = "LUMEFLOW_SECRETS"
LARGEST = 65_536
"""Bytes of one secret."""
_LARGEST_FILE = 2**20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LINE = re.compile(r"(?:export\s+)?(?:([^\s=/]+)/)?([^\s=/]+)\s*=(.*)", re.DOTALL)
_OWN = "default"

ByTenant = Mapping[str, Mapping[str, Secret]]


def is_name(text: str) -> bool:
    """True if a secret can be called so."""
    return _NAME.fullmatch(text) is not None


def read_secrets(paths: Sequence[Path]) -> ByTenant:
    """Secrets by tenant and name; where two places have the same, the first counts.

    Raises:
        UsageError: A place cannot be read, or a line is none; what it holds is not told.
    """
    found: dict[str, dict[str, Secret]] = {}
    for path in paths:
        entries = _folder(path) if path.is_dir() else _lines(path)
        for tenant, name, text in entries:
            if text:
                found.setdefault(tenant, {}).setdefault(name, Secret(text))
    return found


def _folder(folder: Path) -> Iterator[tuple[str, str, str]]:
    for entry in _entries(folder):
        if entry.is_dir():
            yield from ((entry.name, name, text) for name, text in _files(_entries(entry)))
    yield from ((_OWN, name, text) for name, text in _files(_entries(folder)))


def _entries(folder: Path) -> list[Path]:
    """What has a usable name. Kubernetes keeps the files themselves in hidden folders, and links to them."""
    try:
        return sorted(entry for entry in folder.iterdir() if is_name(entry.name))
    except OSError as error:
        raise UsageError(f"{VARIABLE}: cannot read {folder}: {error.strerror}") from error


def _files(entries: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        if entry.is_file():
            yield entry.name, _text(entry, LARGEST).rstrip("\r\n")


def _lines(path: Path) -> Iterator[tuple[str, str, str]]:
    for number, line in enumerate(_text(path, _LARGEST_FILE).splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        tenant, name, value = match.groups() if match else ("", "", "")
        if not is_name(name) or not is_name(tenant or _OWN):
            raise UsageError(f"{VARIABLE}: line {number} of {path} is not NAME=VALUE or TENANT/NAME=VALUE")
        yield tenant or _OWN, name, _unquoted(value.strip())


def _unquoted(text: str) -> str:
    is_quoted = len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _text(path: Path, largest: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise UsageError(f"{VARIABLE}: cannot read {path}: {error.strerror}") from error
    if len(data) > largest:
        raise UsageError(f"{VARIABLE}: {path} is larger than {largest} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{VARIABLE}: {path} is not a text in UTF-8") from None
