"""Writing the parts of a request."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import orjson

from lumeflow.kit.text import is_blank

CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
}


def basic(username: str, password: str) -> str:
    """The value of `Authorization` for a user name and a password."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def written_body(body: Any, kind: str) -> tuple[bytes, str]:
    """A body's bytes and content type; `kind` is json, form or text."""
    if kind == "json":
        written = orjson.dumps(body)
    elif kind == "form":
        written = urlencode(list(_form(body))).encode()
    else:
        written = body.encode() if isinstance(body, str) else orjson.dumps(body)
    return written, CONTENT_TYPES[kind]


def with_query(url: str, query: Sequence[tuple[str, str]]) -> str:
    """An address with more parameters behind those that it has."""
    bare = url.partition("#")[0]
    return f"{bare}{'&' if '?' in bare else '?'}{urlencode(query)}" if query else bare


def _form(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        for each in value if isinstance(value, list) else [value]:
            if not is_blank(each):
                yield name, each if isinstance(each, str) else orjson.dumps(each).decode()
