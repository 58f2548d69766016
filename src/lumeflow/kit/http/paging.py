"""Paging: how the next page is asked for, and when there is none."""

import re
from collections.abc import Mapping
from typing import Any, Literal, Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from pydantic import Field

from lumeflow.kit.http.asking import Step
from lumeflow.kit.http.auth import Part
from lumeflow.kit.text import is_blank
from lumeflow.plugin import MISSING, ErrorClass, NodeError, PathField

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+\s*(?:=\s*(?:\"[^\"]*\"|[^\s;,]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,]+))", re.IGNORECASE)


class _Sized(Part):
    """How many items a page has."""

    size: int | None = Field(default=None, ge=1, description="Items on a page, sent as `sizeParam`.")
    size_param: str | None = Field(default=None, min_length=1, description="Parameter that takes the size.")
    place: Literal["query", "body"] = Field(
        default="query", alias="in", description="Where the parameters go: into the query or the body."
    )
    more_path: PathField | None = Field(
        default=None, description="Path in the answer to a value that is false or empty on the last page."
    )


class CursorPaging(_Sized):
    """The answer names the cursor of the next page; a page without one is the last."""

    kind: Literal["cursor"] = Field(description="This kind of paging.")
    param: str = Field(default="cursor", min_length=1, description="Parameter that takes the cursor.")
    path: PathField = Field(description="Path in the answer to the next cursor.")


class PagePaging(_Sized):
    """Pages are numbered; the last one is empty, or shorter than `size`."""

    kind: Literal["page"] = Field(description="This kind of paging.")
    param: str = Field(default="page", min_length=1, description="Parameter that takes the number.")
    first: int = Field(default=1, ge=0, description="Number of the first page.")


class OffsetPaging(_Sized):
    """Each page begins behind so many items; the last one is empty, or shorter than `size`."""

    kind: Literal["offset"] = Field(description="This kind of paging.")
    param: str = Field(default="offset", min_length=1, description="Parameter that takes the offset.")
    first: int = Field(default=0, ge=0, description="Offset of the first page.")


class LinkPaging(Part):
    """The `Link` header names the address of the next page (RFC 8288)."""

    kind: Literal["link"] = Field(description="This kind of paging.")


class NextPaging(Part):
    """The answer holds the address of the next page."""

    kind: Literal["next"] = Field(description="This kind of paging.")
    path: PathField = Field(description="Path in the answer to the next page's address.")


Paging = CursorPaging | PagePaging | OffsetPaging | LinkPaging | NextPaging


class Pager(Protocol):
    """Walks through the pages of one source."""

    def first(self) -> Step:
        """The first page."""
        ...

    def after(self, answer: Mapping[str, Any], items: int) -> Step | None:
        """The page behind one with so many items; None if that was the last."""
        ...


def pager_of(paging: Paging | None, url: str) -> Pager:
    """The pager of a configuration; `url` is the address of the first page."""
    match paging:
        case CursorPaging():
            return _Cursor(paging)
        case PagePaging() | OffsetPaging():
            return _Counting(paging)
        case LinkPaging() | NextPaging():
            return _Addresses(paging, url)
        case _:
            return _OnePage()


class _OnePage:
    def first(self) -> Step:
        return Step()

    def after(self, answer: Mapping[str, Any], items: int) -> Step | None:
        return None


class _Cursor:
    def __init__(self, paging: CursorPaging) -> None:
        self._paging = paging

    def first(self) -> Step:
        return _step(self._paging, {})

    def after(self, answer: Mapping[str, Any], items: int) -> Step | None:
        cursor = self._paging.path.get(answer["body"])
        if not _has_more(self._paging, answer) or cursor is MISSING or is_blank(cursor) or cursor is False:
            return None
        if not isinstance(cursor, str | int):
            raise NodeError(ErrorClass.INVALID_RESPONSE, "the next cursor must be a text or a number", field="paging")
        return _step(self._paging, {self._paging.param: cursor})


class _Counting:
    """By number or by offset."""

    def __init__(self, paging: PagePaging | OffsetPaging) -> None:
        self._paging = paging
        self._at = paging.first

    def first(self) -> Step:
        return _step(self._paging, {self._paging.param: self._at})

    def after(self, answer: Mapping[str, Any], items: int) -> Step | None:
        size = self._paging.size
        if items == 0 or (size is not None and items < size and self._paging.more_path is None):
            return None
        if not _has_more(self._paging, answer):
            return None
        self._at += items if isinstance(self._paging, OffsetPaging) else 1
        return _step(self._paging, {self._paging.param: self._at})


class _Addresses:
    """The vendor names addresses; they must lead to the host that was asked first, since the key goes along."""

    def __init__(self, paging: LinkPaging | NextPaging, url: str) -> None:
        self._paging = paging
        self._url = url

    def first(self) -> Step:
        return Step()

    def after(self, answer: Mapping[str, Any], items: int) -> Step | None:
        if isinstance(self._paging, LinkPaging):
            named: Any = next_link(answer["headers"].get("link", ""))
        else:
            named = self._paging.path.get(answer["body"])
        if named is MISSING or is_blank(named):
            return None
        if not isinstance(named, str):
            raise NodeError(ErrorClass.INVALID_RESPONSE, "the next page's address must be a text", field="paging")
        self._url = same_host(self._url, named)
        return Step(url=self._url)


def next_link(header: str) -> str | None:
    """The address that a `Link` header gives for `rel="next"`."""
    for match in _LINK.finditer(header):
        rel = _REL.search(match[2])
        if rel is not None and "next" in (rel[1] or rel[2] or "").lower().split():
            return match[1].strip()
    return None


def same_host(here: str, named: str) -> str:
    """The address that `named` means on the page `here`.

    Where the host is the same but https has become http, as behind some proxies, https stays.

    Raises:
        NodeError: It leads to another host.
    """
    try:
        there, own = urlsplit(urljoin(here, named)), urlsplit(here)
        same = (there.hostname, _port(there.port, own.port)) == (own.hostname, own.port)
    except ValueError:
        same, there, own = False, urlsplit(""), urlsplit("")
    if not same or there.scheme not in ("http", "https") or "@" in there.netloc:
        raise NodeError(
            ErrorClass.INVALID_RESPONSE,
            "the next page's address leads to another host, which is not called: the credentials would go there",
            field="paging",
        )
    return urlunsplit((own.scheme, own.netloc, there.path, there.query, ""))


def _port(theirs: int | None, ours: int | None) -> int | None:
    return ours if theirs in (None, 80, 443) and ours in (None, 80, 443) else theirs


def _step(paging: CursorPaging | PagePaging | OffsetPaging, values: dict[str, str | int]) -> Step:
    if paging.size is not None and paging.size_param is not None:
        values = {**values, paging.size_param: paging.size}
    return Step(query=values) if paging.place == "query" else Step(body=values)


def _has_more(paging: _Sized, answer: Mapping[str, Any]) -> bool:
    if paging.more_path is None:
        return True
    more = paging.more_path.get(answer["body"])
    return more is not MISSING and more is not False and not is_blank(more)
