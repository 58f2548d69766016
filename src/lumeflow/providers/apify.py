"""Apify: actor runs are started, watched, read page by page, and paid for when they are over.

The synchronous form of a run is not used: it loses the run's id when the connection breaks, and the run costs on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import orjson

from lumeflow.kit.prices import count_of, price_of
from lumeflow.kit.replies import (
    UNREADABLE,
    class_of,
    identifier,
    json_body,
    json_request,
    key_of,
    member,
    refusal,
    unreadable,
)
from lumeflow.plugin import (
    FREE,
    Account,
    Answer,
    Basis,
    CallError,
    Charge,
    ErrorClass,
    Failure,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateLimit,
    Repeat,
    Send,
    Verdict,
    decimal_of,
)

VENDOR = "Apify"
PROVIDER = ProviderDefaults(
    name="apify",
    base_url="https://api.apify.com",
    key_name="APIFY_TOKEN",
    prices={
        # Store page of the actor, 2026: $1.90 per 1,000 comments on a paid plan.
        "apify~instagram-comment-scraper": Decimal("0.0019"),
        # Not confirmed for this actor; $0.0023 per result was measured on a sibling in August 2026.
        "apify~facebook-comments-scraper": Decimal("0.0023"),
        # Of an actor that is not named here: the dearest known, since an unknown price is not zero.
        "result": Decimal("0.0023"),
    },
)

TERMINAL = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
POLL_SECONDS = 1
"""How long the vendor holds the answer to a poll while the run goes on."""

CLOCK_SKEW = timedelta(minutes=2)
"""How far the vendor's clock may lag behind ours when a lost start is looked for."""
NEWEST_RUNS = 100
RESULTS_BY_DEFAULT = 50
"""Comments for each post, if a run's input names no `resultsLimit`."""

_RUN_OPTIONS = ("timeout", "memory", "build", "maxItems", "maxTotalChargeUsd")
_PER_RESOURCE = (RateLimit(60, 1.0),)
_MONEY = "not-enough-usage-to-run-paid-actor"
_BUSY = frozenset({"concurrent-runs-limit-exceeded", "actor-memory-limit-exceeded"})
_MEANINGS: Mapping[str, str] = {
    "actor-is-not-rented": "the actor must be rented in the Apify store before it can be started",
    "max-total-charge-usd-below-minimum": "maxTotalChargeUsd is below what the actor requires; raise it",
    "actor-not-found": "Apify does not know the actor, or the key may not see it; check config.actor",
    "run-input-body-not-valid-json": "Apify could not read the actor's input",
    "invalid-input": "the actor refused its input; check the post addresses, config.limits and config.input",
    _MONEY: "the Apify account has no money left for paid actors; top it up or raise its plan",
}


class _ApifyOperation(Operation):
    """What all calls share: key, envelope, errors."""

    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.FREE
    limits: ClassVar[tuple[RateLimit, ...]] = _PER_RESOURCE

    def _get(self, account: Account, path: str, **query: Any) -> HttpRequest:
        suffix = f"?{urlencode(query)}" if query else ""
        return HttpRequest("GET", f"{account.base_url}/v2/{path}{suffix}", _headers(account))


class StartRun(_ApifyOperation):
    """Start an actor run.

    Params: `actor` (`apify~facebook-comments-scraper`), `input` (the actor's own input), and, where wanted,
    `maxTotalChargeUsd` (decimal text), `maxItems`, `timeout` (seconds), `memory` (MB) and `build`.
    Value: `{"run": id, "dataset": id}`. Free by itself: the run is charged by `RunCost`.
    """

    id: ClassVar[str] = "apify/start-run"
    repeat: ClassVar[Repeat] = Repeat.LOOK_FIRST
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(400, 1.0),)

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /v2/actors/{actor}/runs`."""
        options = {name: params[name] for name in _RUN_OPTIONS if name in params}
        query = f"?{urlencode(options)}" if options else ""
        url = f"{account.base_url}/v2/actors/{_segment(params['actor'])}/runs{query}"
        return json_request("POST", url, _headers(account), params["input"])

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """A run with its dataset, or why there is none."""
        run = _data(response, account)
        if isinstance(run, Failure):
            return run
        run_id, dataset_id = run.get("id"), run.get("defaultDatasetId")
        if not (isinstance(run_id, str) and run_id and isinstance(dataset_id, str) and dataset_id):
            return unreadable(VENDOR, account, response, "a started run without id or dataset", paid=True)
        return Answer({"run": run_id, "dataset": dataset_id})

    def expected(self, params: Params, account: Account) -> Decimal:
        """The most that the run can come to; what it did cost is booked by `RunCost` when it is over."""
        most = _most_items(params) * _result_price(params["actor"], account)
        cap = params.get("maxTotalChargeUsd")
        return most if cap is None else min(most, Decimal(cap))

    async def recover(self, params: Params, account: Account, claimed_at: datetime, send: Send) -> HttpResponse | None:
        """Look among the newest runs for one that began after the claim with this very input."""
        path = f"actors/{_segment(params['actor'])}/runs"
        listed = await self._look(send, self._get(account, path, desc=1, limit=NEWEST_RUNS))
        wanted = _canonical(params["input"])
        for run in _runs_since(listed, claimed_at - CLOCK_SKEW, claimed_at):
            store = _segment(str(run.get("defaultKeyValueStoreId")))
            given = await self._look(send, self._get(account, f"key-value-stores/{store}/records/INPUT"))
            if _canonical(given) == wanted:
                return await send(self._get(account, f"actor-runs/{_segment(run['id'])}"))
        return None

    async def _look(self, send: Send, request: HttpRequest) -> Any:
        response = await send(request)
        value = json_body(response)
        if response.status != 200 or value is UNREADABLE:
            message = (
                "the answer to the start of an Apify run was lost, and Apify does not tell whether the run exists "
                f"(status {response.status}); look in the Apify console before starting again"
            )
            kind = class_of(response.status) if response.status != 200 else ErrorClass.INVALID_RESPONSE
            raise CallError(kind, message, operation=self.id, status=response.status)
        return value


class GetRun(_ApifyOperation):
    """Ask how a run stands; the vendor holds the answer up to `POLL_SECONDS` while the run goes on.

    Params: `run`. Value: `{"status": …, "over": bool}`. Remembered once the run is over.
    """

    id: ClassVar[str] = "apify/get-run"

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`GET /v2/actor-runs/{run}`."""
        return self._get(account, f"actor-runs/{_segment(params['run'])}", waitForFinish=POLL_SECONDS)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The run's status; unsettled while it goes on."""
        run = _data(response, account)
        if isinstance(run, Failure):
            return run
        status = run.get("status")
        if not isinstance(status, str):
            return unreadable(VENDOR, account, response, "a run without status", paid=False)
        over = status in TERMINAL
        return Answer({"status": status, "over": over}, settled=over)


class RunCost(_ApifyOperation):
    """Book what a finished run cost; asked once, after `GetRun` has seen its end.

    The figure may be null just after the end, so this second reading is what counts. Still null, the cost is the
    charged events times their prices; and if these are missing too, the run's items times the configured price.

    Params: `run`, `actor`, `items` (the dataset's final length). Value: the cost as decimal text.
    """

    id: ClassVar[str] = "apify/run-cost"

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`GET /v2/actor-runs/{run}`."""
        return self._get(account, f"actor-runs/{_segment(params['run'])}")

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The run's charge; unsettled while it still goes on."""
        run = _data(response, account)
        if isinstance(run, Failure):
            return run
        charge = _charge(run, params, account)
        return Answer(str(charge.amount), charge, settled=run.get("status") in TERMINAL)


class DatasetItems(_ApifyOperation):
    """Read a page of a run's items; possible while the run goes on.

    Params: `dataset`, `offset`, `limit`. Value: `{"items": […], "total": int}`. A page without items is asked anew.
    """

    id: ClassVar[str] = "apify/dataset-items"

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`GET /v2/datasets/{dataset}/items`."""
        path = f"datasets/{_segment(params['dataset'])}/items"
        return self._get(account, path, format="json", offset=params["offset"], limit=params["limit"])

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The items, a bare array; the total stands in a header."""
        if response.status != 200:
            return _failure(response, account)
        items = json_body(response)
        mocked = _mocked_items(items)
        if mocked is not None:
            items = mocked[params["offset"] : params["offset"] + params["limit"]]
            return Answer({"items": items, "total": len(mocked)}, settled=bool(items))
        if not isinstance(items, list):
            return unreadable(VENDOR, account, response, "a dataset page that is no JSON array", paid=False)
        total = _total(response, params["offset"] + len(items))
        return Answer({"items": items, "total": total}, settled=bool(items))


class DatasetTotal(_ApifyOperation):
    """Read how many items a finished run has; asked once the run is over, so that it cannot grow any more.

    Params: `dataset`. Value: the number.
    """

    id: ClassVar[str] = "apify/dataset-total"

    def build(self, params: Params, account: Account) -> HttpRequest:
        """The first item, for the sake of the headers."""
        return self._get(account, f"datasets/{_segment(params['dataset'])}/items", format="json", offset=0, limit=1)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The total in the pagination header."""
        if response.status != 200:
            return _failure(response, account)
        mocked = _mocked_items(json_body(response))
        total = _total(response, -1 if mocked is None else len(mocked))
        if total < 0:
            return unreadable(VENDOR, account, response, "a dataset page without a total", paid=False)
        return Answer(total)


class AbortRun(_ApifyOperation):
    """Stop a run gracefully: the actor gets 30 seconds to finish; its items stay and are charged.

    Params: `run`. Value: the run's status.
    """

    id: ClassVar[str] = "apify/abort-run"
    remembered: ClassVar[bool] = False

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /v2/actor-runs/{run}/abort`."""
        url = f"{account.base_url}/v2/actor-runs/{_segment(params['run'])}/abort?gracefully=true"
        return HttpRequest("POST", url, _headers(account))

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The run's status after the request."""
        run = _data(response, account)
        return run if isinstance(run, Failure) else Answer(run.get("status"))


def _most_items(params: Params) -> int:
    """Items that a run may have; of an actor whose input is not known, a guess that its caps correct."""
    given = params["input"]
    lists = [given.get(name) for name in ("startUrls", "directUrls")]
    posts = max((len(urls) for urls in lists if isinstance(urls, list)), default=1)
    limit = count_of(given.get("resultsLimit"))
    most = posts * (RESULTS_BY_DEFAULT if limit is None else limit)
    cap = count_of(params.get("maxItems"))
    return most if cap is None else cap


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {key_of(account)}"}


def _segment(name: str) -> str:
    return quote(name, safe="~")


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _data(response: HttpResponse, account: Account) -> Mapping[str, Any] | Failure:
    """What the envelope `{"data": {…}}` of a success holds."""
    if response.status not in {200, 201}:
        return _failure(response, account)
    body = json_body(response)
    data = _MOCKED_RUN if _mocked_items(body) is not None else member(body, "data")
    if not isinstance(data, dict):
        # A start that was answered 201 has begun a paid run, even if its answer was cut: look for it, don't repeat it.
        return unreadable(VENDOR, account, response, "no object under 'data'", paid=response.status == 201)
    return data


_MOCKED_RUN = {"id": "mocked", "defaultDatasetId": "mocked", "status": "SUCCEEDED", "usageTotalUsd": 0}


def _mocked_items(body: Any) -> list[Any] | None:
    """Items of the mock `{"comments": […]}` or `{"items": […]}`, which a user may give for all calls of a run; Apify
    never answers so.
    """
    lists = (member(body, name) for name in ("comments", "items"))
    return next((items for items in lists if isinstance(items, list)), None)


def _failure(response: HttpResponse, account: Account) -> Failure:
    code = identifier(member(json_body(response), "error", "type"))
    meaning = _MEANINGS.get(code)
    if code in _BUSY:
        # The status is 402 or 429; either way it passes when other runs end.
        meaning = "the Apify account runs as many actors at once as its plan allows; this one has to wait"
        return refusal(VENDOR, account, response, error_class=ErrorClass.RATE_LIMIT, code=code, meaning=meaning)
    error_class = ErrorClass.QUOTA if code == _MONEY else None
    return refusal(VENDOR, account, response, error_class=error_class, code=code, meaning=meaning)


def _total(response: HttpResponse, otherwise: int) -> int:
    text = response.headers.get("x-apify-pagination-total", "")
    return int(text) if text.isascii() and text.isdigit() else otherwise


def _charge(run: Mapping[str, Any], params: Params, account: Account) -> Charge:
    if run.get("status") not in TERMINAL:
        return FREE
    try:
        return Charge(decimal_of(run.get("usageTotalUsd")), None, Basis.REPORTED)
    except ValueError:
        computed = _event_cost(run)
    if computed is None:
        computed = _item_cost(run, params["items"])
    if computed is None:
        computed = params["items"] * _result_price(params["actor"], account)
    return Charge(computed, None, Basis.COMPUTED)


def _result_price(actor: str, account: Account) -> Decimal:
    known = actor in account.prices or actor in PROVIDER.prices
    return price_of(account, PROVIDER, actor if known else "result")


def _event_cost(run: Mapping[str, Any]) -> Decimal | None:
    """Charged events times their prices; None if a count or a price is missing (tiered prices are)."""
    counts = run.get("chargedEventCounts")
    if not isinstance(counts, dict) or not counts:
        return None
    events = member(run, "pricingInfo", "pricingPerEvent", "actorChargeEvents")
    cost = Decimal(0)
    for event, count in counts.items():
        if count_of(count) is None:
            return None
        if count:
            try:
                cost += count * decimal_of(member(events, event, "eventPriceUsd"))
            except ValueError:
                return None
    return cost


def _item_cost(run: Mapping[str, Any], items: int) -> Decimal | None:
    """Items times the price that the run names for one; None if it is not sold so."""
    pricing = member(run, "pricingInfo")
    if member(pricing, "pricingModel") != "PRICE_PER_DATASET_ITEM":
        return None
    try:
        return items * decimal_of(member(pricing, "pricePerUnitUsd"))
    except ValueError:
        return None


def _runs_since(listed: Any, earliest: datetime, claimed_at: datetime) -> list[Mapping[str, Any]]:
    """Runs in a list answer that began at or after `earliest`, those nearest to `claimed_at` first."""
    found = []
    for run in member(listed, "data", "items") or ():
        try:
            began = datetime.fromisoformat(run["startedAt"])
            if began >= earliest and isinstance(run["id"], str):
                found.append((abs((began - claimed_at).total_seconds()), run["id"], run))
        except (KeyError, TypeError, ValueError):
            continue
    return [run for *_, run in sorted(found, key=lambda entry: entry[:2])]
