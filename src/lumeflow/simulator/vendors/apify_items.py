"""Dataset items of the two comment actors and of all others, each made from its position alone."""

from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from lumeflow.core.clock import iso
from lumeflow.simulator.hashing import Dice, hashed
from lumeflow.simulator.people.comments import Comment, comment_at
from lumeflow.simulator.vendors.apify_directory import entry

REPLY_EVERY = 10
"""With `includeNestedComments`, every so many comments have one reply."""

_AUTHOR_MISSING = 0.015
_TIME_MISSING = 0.01

_ERROR_MARKS: Mapping[str, tuple[str, str]] = {
    "gone": ("not_found", "The page does not exist or was removed"),
    "private": ("no_items", "Empty or private data for provided input"),
}
"""What in a post's address makes it unreadable: error code and description."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a run delivers, as numbers: nothing of it is stored.

    Attributes:
        seed: Seed of the simulator.
        network: `facebook` or `instagram`; `directory` for any other actor.
        urls: The posts, or what else is asked for, each once.
        per_url: Top-level comments of a readable post, or results of a query.
        nested: True if replies are asked for.
        blocked_share: Share of posts that give an error item by the fault plan.
        actor: The actor's name.
    """

    seed: int
    network: str
    urls: tuple[str, ...]
    per_url: int
    nested: bool
    blocked_share: float = 0.0
    actor: str = ""

    def sizes(self) -> list[int]:
        """Items of each post."""
        full = self.per_url
        if self.nested and self.network == "facebook":
            full += self.per_url // REPLY_EVERY
        return [1 if self.error_of(url) or not self.per_url else full for url in self.urls]

    def error_of(self, url: str) -> tuple[str, str] | None:
        """Error code and description of a post that cannot be read; None for one that can."""
        for mark, error in _ERROR_MARKS.items():
            if mark in url.lower():
                return error
        if self.blocked_share and Dice(self.seed, "blocked", url).chance(self.blocked_share):
            return "no_items", "Request blocked, no data could be read"
        return None if self.per_url else ("no_items", "Empty or private data for provided input")


class Items:
    """Random access to the items of a feed, in the order of the posts and of the comments under them."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._ends = list(accumulate(feed.sizes()))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def page(self, offset: int, end: int) -> Iterator[dict[str, Any]]:
        """The items from `offset` up to, not including, `end`."""
        for position in range(offset, end):
            post = bisect_right(self._ends, position)
            url = self._feed.urls[post]
            error = self._feed.error_of(url)
            if error:
                yield _error_item(self._feed, url, error)
            else:
                yield self._item(url, position - (self._ends[post - 1] if post else 0))

    def _item(self, url: str, position: int) -> dict[str, Any]:
        feed = self._feed
        if feed.network == "directory":
            return entry(feed.seed, feed.actor, url, position)
        if feed.network == "instagram":
            return _instagram_item(feed, url, comment_at(feed.seed, url, position), position)
        if not feed.nested:
            return _facebook_item(feed, url, comment_at(feed.seed, url, position))
        group, place = divmod(position, REPLY_EVERY + 1)
        index = group * REPLY_EVERY + place
        if place < REPLY_EVERY:
            return _facebook_item(feed, url, comment_at(feed.seed, url, index))
        answered = comment_at(feed.seed, url, index - 1)
        return _facebook_item(feed, url, comment_at(feed.seed, url, index - 1, "reply"), answered)


def _error_item(feed: Feed, url: str, error: tuple[str, str]) -> dict[str, Any]:
    code, description = error
    item: dict[str, Any] = {"url": url, "error": code, "errorDescription": description}
    dice = Dice(feed.seed, "error-item", url)
    if dice.chance(0.7):
        item["inputUrl"] = url
    if dice.chance(0.7):
        item["requestErrorMessages"] = ["Request was blocked, retrying with another session"] if dice.below(2) else []
    return item


def _digits(number: int, length: int) -> str:
    return str(number % 10**length).rjust(length, "1")


def _facebook_item(feed: Feed, url: str, comment: Comment, answered: Comment | None = None) -> dict[str, Any]:
    post, own = _digits(hashed(feed.seed, "post", url), 16), _digits(comment.number, 15)
    dice = comment.dice
    item: dict[str, Any] = {
        "facebookUrl": url,
        "commentUrl": f"{url}{'&' if '?' in url else '?'}comment_id={own}",
        "commentId": own,
        "id": b64encode(f"comment:{post}_{own}".encode()).decode(),
        "feedbackId": b64encode(f"feedback:{post}_{own}".encode()).decode(),
        "date": iso(comment.posted_at),
        "likesCount": str(comment.likes),
        "commentsCount": 1 if answered is None and dice.below(REPLY_EVERY) == 0 else 0,
        "comments": [],
        "threadingDepth": 0 if answered is None else 1,
        "facebookId": post,
        "postTitle": None,
        "inputUrl": url,
    }
    if answered is not None:
        item["replyToCommentId"] = _digits(answered.number, 15)
    if comment.text or dice.below(2):
        item["text"] = comment.text
    if not dice.chance(_AUTHOR_MISSING):
        item["profileName"] = f"{comment.first} {comment.last}"
        item["profileId"] = f"pfbid0{comment.number:016x}" if dice.below(2) else f"1000{own[:11]}"
        item["profileUrl"] = f"https://www.facebook.com/{comment.username}.example"
        item["profilePicture"] = f"https://cdn.example.com/p/{own}.jpg"
    return item


def _instagram_item(feed: Feed, url: str, comment: Comment, index: int) -> dict[str, Any]:
    own, dice = f"17{_digits(comment.number, 15)}", comment.dice
    answered = feed.nested and index % REPLY_EVERY == 0
    item: dict[str, Any] = {
        "id": own,
        "postUrl": url,
        "commentUrl": f"{url.rstrip('/')}/c/{own}",
        "text": comment.text,
        "timestamp": None if dice.chance(_TIME_MISSING) else iso(comment.posted_at),
        "likesCount": -1 if dice.chance(0.01) else comment.likes,
        "repliesCount": 1 if answered else (0 if dice.below(2) else None),
        "replies": [_instagram_reply(feed, url, index)] if answered else ([] if dice.below(2) else None),
    }
    if not dice.chance(_AUTHOR_MISSING):
        number = _digits(comment.number >> 8, 10)
        full_name = None if dice.chance(0.35) else f"{comment.first} {comment.last}"
        picture = f"https://cdn.example.com/ig/{number}.jpg"
        item["ownerUsername"] = comment.username
        item["ownerId"] = number
        item["ownerProfilePicUrl"] = picture
        item["owner"] = {
            "id": number, "username": comment.username, "full_name": full_name, "is_verified": False,
            "is_private": (None, False, True)[dice.below(3)], "profile_pic_url": picture,
        }  # fmt: skip
    return item


def _instagram_reply(feed: Feed, url: str, index: int) -> dict[str, Any]:
    reply = comment_at(feed.seed, url, index, "reply")
    return {
        "id": f"17{_digits(reply.number, 15)}", "text": reply.text, "ownerUsername": reply.username,
        "timestamp": iso(reply.posted_at), "likesCount": reply.likes, "repliesCount": None, "replies": None,
    }  # fmt: skip
