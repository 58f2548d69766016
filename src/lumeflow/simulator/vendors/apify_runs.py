"""Runs of actors: input, timeline, cost, and the object that the API shows."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from lumeflow.core.clock import iso
from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import number
from lumeflow.simulator.hashing import token
from lumeflow.simulator.vendors.apify_directory import DEFAULT_RESULTS
from lumeflow.simulator.vendors.apify_items import Feed, Items

TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
_EXIT_CODES = {"SUCCEEDED": 0, "FAILED": 1, "TIMED-OUT": 1, "ABORTED": 1}
_GRACE_SECONDS = 30.0
_ACTOR_NAME = re.compile(r"[\w.-]+~[\w.-]+")


@dataclass(frozen=True, slots=True)
class Actor:
    """One of the simulated actors.

    Attributes:
        id: Internal id.
        name: `apify~facebook-comments-scraper`.
        network: `facebook` or `instagram`; `directory` for any other.
        urls_field: Name of the input's list of posts.
        default_limit: Comments per post when the input names no `resultsLimit`.
    """

    id: str
    name: str
    network: str
    urls_field: str
    default_limit: int

    @property
    def event(self) -> str:
        """What is charged for each item."""
        return "result" if self.network == "directory" else "comment"

    @property
    def price(self) -> str:
        """Name of that event's price in the settings."""
        return "apify/result" if self.network == "directory" else f"apify/{self.network}-comment"


def any_actor(name: str) -> Actor | None:
    """The actor `owner~name`; None for a name of another form, or of one that does not exist."""
    if not _ACTOR_NAME.fullmatch(name) or "unknown" in name:
        return None
    return Actor(token(0, 17, "actor", name), name, "directory", "", DEFAULT_RESULTS)


ACTORS = (
    Actor("aCtExAmPlE0000001", "apify~facebook-comments-scraper", "facebook", "startUrls", 50),
    Actor("SbK00X0JYCPblD2wp", "apify~instagram-comment-scraper", "instagram", "directUrls", 50),
)


@dataclass(frozen=True, slots=True)
class Options:
    """Run options from the query string.

    Attributes:
        timeout: Seconds that the run may take; 0 for no end.
        memory: Megabytes.
        build: Build tag.
        max_charge: USD that the run may cost; None for any.
    """

    timeout: float
    memory: int
    build: str
    max_charge: Decimal | None


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run works.

    Attributes:
        first_item_after: Seconds from its start to its first item.
        items_per_second: Items from then on.
        scale: Multiplies all durations; 0 finishes at once.
    """

    first_item_after: float
    items_per_second: float
    scale: float


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per event."""

    start: Decimal
    item: Decimal


class Run:
    """One run. What it has delivered and what it costs follow from the time since its start."""

    def __init__(
        self, *, name: str, actor: Actor, feed: Feed, options: Options, pace: Pace, prices: Prices,
        raw_input: bytes, started: float, started_at: datetime,
    ) -> None:  # fmt: skip
        """Start a run.

        Args:
            name: Text from which all ids of the run follow.
            actor: The actor.
            feed: What it would deliver without limits.
            options: Run options.
            pace: How fast it works.
            prices: What its events cost.
            raw_input: The input as received.
            started: Now, in seconds of the simulator's clock.
            started_at: Now, as a date.
        """
        self.actor, self.raw_input, self.items = actor, raw_input, Items(feed)
        self.id, self.dataset_id, self.store_id, self.queue_id = (
            token(feed.seed, 17, kind, name) for kind in ("run", "dataset", "store", "queue")
        )
        self.booked = ZERO
        """USD that the bill already shows."""
        self._options, self._pace, self._prices = options, pace, prices
        self._started, self._started_at = started, started_at
        self._aborted: float | None = None
        self._limit = self._affordable()
        needed = self._first_item_at() + self._limit / pace.items_per_second * pace.scale
        self._timed_out = bool(options.timeout) and needed > options.timeout
        self._ends = started + (options.timeout if self._timed_out else needed)

    def ends(self) -> float:
        """When the run reaches a terminal status, in seconds of the simulator's clock."""
        return self._ends

    def abort(self, now: float, *, gracefully: bool) -> None:
        """Stop the run; a graceful stop gives it some seconds to finish by itself."""
        if now < self._ends:
            self._aborted = now
            self._ends = min(self._ends, now + _GRACE_SECONDS * self._pace.scale) if gracefully else now

    def status(self, now: float) -> str:
        """Status at `now`."""
        if now >= self._ends:
            if self._aborted is not None:
                return "ABORTED"
            return "TIMED-OUT" if self._timed_out else "SUCCEEDED"
        if self._aborted is not None and now >= self._aborted:
            return "ABORTING"
        return "READY" if now < self._started + self._first_item_at() / 2 else "RUNNING"

    def produced(self, now: float) -> int:
        """Items in the dataset at `now`."""
        if now < self._started:
            return 0
        if self._pace.scale == 0 or (now >= self._ends and self._aborted is None and not self._timed_out):
            return self._limit
        working = (
            min(now, self._ends, now if self._aborted is None else self._aborted)
            - self._started
            - self._first_item_at()
        )
        return max(0, min(self._limit, int(working / self._pace.scale * self._pace.items_per_second)))

    def charged(self, now: float) -> Decimal:
        """USD so far."""
        return self._prices.start + self._prices.item * self.produced(now)

    def short(self, now: float) -> dict[str, Any]:
        """The run as lists show it."""
        status = self.status(now)
        over = status in TERMINAL
        finished_at = self._started_at + timedelta(seconds=self._ends - self._started)
        return {
            "id": self.id,
            "actId": self.actor.id,
            "status": status,
            "startedAt": iso(self._started_at),
            "finishedAt": iso(finished_at) if over else None,
            "buildId": "bLdExAmPlE0000001",
            "buildNumber": "0.0.322",
            "meta": {"origin": "API"},
            "usageTotalUsd": number(self.charged(now)),
            "defaultKeyValueStoreId": self.store_id,
            "defaultDatasetId": self.dataset_id,
            "defaultRequestQueueId": self.queue_id,
        }

    def full(self, now: float) -> dict[str, Any]:
        """The run as `GET /v2/actor-runs/{id}` shows it."""
        short = self.short(now)
        over = short["status"] in TERMINAL
        return {
            **short,
            "userId": "uSrExAmPlE0000001",
            "statusMessage": f"Scraped {self.produced(now)} {self.actor.event}s" if over else None,
            "stats": {
                "inputBodyLen": len(self.raw_input), "restartCount": 0,
                "runTimeSecs": round(max(0.0, min(now, self._ends) - self._started), 3), "computeUnits": 0.0,
            },
            "options": self._options_json(),
            "exitCode": _EXIT_CODES[short["status"]] if over else None,
            "generalAccess": "RESTRICTED",
            "platformUsageBillingModel": "DEVELOPER",
            "pricingInfo": self._pricing(),
            "chargedEventCounts": {"apify-actor-start": 1, self.actor.event: self.produced(now)},
        }  # fmt: skip

    def announced(self) -> dict[str, Any]:
        """The run as the answer to its start shows it: ready, with nothing done yet."""
        return self.full(self._started - 1)

    def _affordable(self) -> int:
        """Items that the run delivers: all, or as many as the charge cap pays for."""
        cap, price = self._options.max_charge, self._prices.item
        if cap is None or not price:
            return len(self.items)
        paid = ((cap - self._prices.start) / price).to_integral_value(ROUND_FLOOR)
        return max(0, min(len(self.items), int(paid)))

    def _first_item_at(self) -> float:
        return self._pace.first_item_after * self._pace.scale

    def _options_json(self) -> dict[str, Any]:
        options = self._options
        shown: dict[str, Any] = {
            "build": options.build, "timeoutSecs": options.timeout, "memoryMbytes": options.memory, "diskMbytes": 2048
        }  # fmt: skip
        if options.max_charge is not None:
            shown["maxTotalChargeUsd"] = number(options.max_charge)
        return shown

    def _pricing(self) -> dict[str, Any]:
        events = {
            "apify-actor-start": {"eventTitle": "Actor start", "eventPriceUsd": number(self._prices.start)},
            self.actor.event: {"eventTitle": self.actor.event.capitalize(), "eventPriceUsd": number(self._prices.item)},
        }
        return {
            "pricingModel": "PAY_PER_EVENT",
            "minimalMaxTotalChargeUsd": None,
            "pricingPerEvent": {"actorChargeEvents": events},
        }
