"""Comments of social networks in one shape, whatever the scraper calls things.

    {"id", "text", "from": {"username", "name"}, "timestamp", "url", "likes", "platform"}

Everything but `platform` may be absent; nothing is ever null.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lumeflow.kit.text import text_of
from lumeflow.plugin import iso

Comment = dict[str, Any]

_FIELDS = ("id", "text", "from", "timestamp", "url", "likes", "platform")
_NOT_A_HANDLE = frozenset({"profile.php", "people", "groups", "pages"})


def facebook_comment(item: Mapping[str, Any]) -> Comment:
    """A comment from an item of `facebook-comments-scraper`."""
    return _comment(
        item,
        username=_facebook_handle(text_of(item.get("profileUrl"))),
        name=text_of(item.get("profileName")),
        timestamp=item.get("date"),
        url=item.get("commentUrl") or item.get("facebookUrl"),
        platform="facebook",
    )


def instagram_comment(item: Mapping[str, Any]) -> Comment:
    """A comment from an item of `instagram-comment-scraper`."""
    owner = item.get("owner")
    owner = owner if isinstance(owner, dict) else {}
    return _comment(
        item,
        username=text_of(item.get("ownerUsername")) or text_of(owner.get("username")),
        name=text_of(owner.get("full_name")),
        timestamp=item.get("timestamp"),
        url=item.get("commentUrl") or item.get("postUrl"),
        platform="instagram",
    )


def nested_replies(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The replies that lie inside an item, and theirs; in the order in which they stand."""
    pending = [item]
    while pending:
        replies = pending.pop().get("replies")
        found = [reply for reply in replies if isinstance(reply, dict)] if isinstance(replies, list) else []
        yield from found
        pending.extend(reversed(found))


def finished_comment(item: Mapping[str, Any]) -> Comment:
    """A comment that has its shape already, as in a mocked answer; null and unknown fields are left out."""
    return {name: item[name] for name in _FIELDS if item.get(name) is not None}


READERS: Mapping[str, Callable[[Mapping[str, Any]], Comment]] = {
    "facebook": facebook_comment,
    "instagram": instagram_comment,
}
"""How to read an item, by platform."""


def _comment(item: Mapping[str, Any], *, username: str, name: str, timestamp: Any, url: Any, platform: str) -> Comment:
    author = {key: value for key, value in (("username", username), ("name", name)) if value}
    values: tuple[tuple[str, Any], ...] = (
        ("id", text_of(item.get("id")) or text_of(item.get("commentId"))),
        ("text", text_of(item.get("text"))),
        ("from", author),
        ("timestamp", _moment(timestamp)),
        ("url", text_of(url)),
        ("likes", _count(item.get("likesCount"))),
    )
    comment = {key: value for key, value in values if value or value == 0}
    comment["platform"] = platform
    return comment


def _facebook_handle(profile: str) -> str:
    """The name in a profile's address; empty for addresses that hold a number in its place."""
    handle = urlsplit(profile).path.strip("/").partition("/")[0] if "://" in profile else ""
    return "" if handle in _NOT_A_HANDLE or handle.isdigit() or handle.startswith("pfbid") else handle


def _moment(value: Any) -> str | None:
    """ISO 8601 in UTC; a time without zone is UTC already. None if it is not a time."""
    try:
        moment = datetime.fromisoformat(value)
        return iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError):
        return None


def _count(value: Any) -> int | None:
    """A number of likes, also from text; None for the -1 that stands for unknown."""
    try:
        count = int(text_of(value))
    except ValueError:
        return None
    return count if count >= 0 else None
