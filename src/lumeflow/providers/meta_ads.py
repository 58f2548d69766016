"""Meta Marketing API: custom audiences, filled with hashed identifiers.

Errors come in one envelope under any status, 200 too; what counts is `code`, then `error_subcode`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

import orjson

from lumeflow.kit.prices import count_of
from lumeflow.kit.replies import (
    UNREADABLE,
    class_of,
    identifier,
    json_body,
    json_object,
    json_request,
    key_of,
    member,
    refusal,
    seconds,
    unreadable,
)
from lumeflow.plugin import (
    Account,
    Answer,
    CallError,
    ErrorClass,
    Failure,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateHint,
    RateLimit,
    Repeat,
    Send,
    Verdict,
)

VENDOR = "Meta"
PROVIDER = ProviderDefaults(
    name="meta", base_url="https://graph.facebook.com", key_name="META_ACCESS_TOKEN", concurrency=8
)

MOST_ROWS = 10_000
"""Rows of one call."""
SLOW_FROM = 75.0
"""Percent of a limit from which calls are spread out."""
LONGEST_SPREAD = 20.0
"""Seconds between calls just before a limit is reached."""
_MINUTE = 60.0
_MOST_PAGES = 50


class _MetaOperation(Operation):
    """What all calls share: the limits of an ad account, and the headers that tell how much of them is left."""

    provider: ClassVar[str] = PROVIDER.name
    writes: ClassVar[bool] = True
    # Standard or advanced access. Of less (development: 5,000 and 40 for each active audience) the headers tell.
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(190_000, 3600.0),)

    def rates(self, response: HttpResponse) -> RateHint | None:
        """Nothing below 75 % of a limit, then pauses that grow, and at 100 % the wait that the headers name."""
        pause = max((usage.pause() for usage in _usages(response)), default=0.0)
        return RateHint(pause=pause) if pause else None


class CreateAudience(_MetaOperation):
    """Create an audience.

    Params: `version` (`v26.0`), `ad_account` (`act_…`), `name`, `description` (it holds `mark`), `mark` (a text by
    which the audience is known again), `source` (`customer_file_source`). Value: the new audience's id.
    A creation whose answer was lost is looked for, by its mark, before it is repeated.
    """

    id: ClassVar[str] = "meta/create-audience"
    repeat: ClassVar[Repeat] = Repeat.LOOK_FIRST

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /act_…/customaudiences`."""
        body = {"name": params["name"], "subtype": "CUSTOM", "description": params["description"]}
        body["customer_file_source"] = params["source"]
        return json_request("POST", _edge(params, account), _headers(account), body)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The id."""
        failed = _failure(response, account)
        if failed is not None:
            return failed
        audience = identifier(member(json_object(response), "id"))
        return Answer(audience) if audience else unreadable(VENDOR, account, response, "no 'id'", paid=False)

    async def recover(self, params: Params, account: Account, claimed_at: datetime, send: Send) -> HttpResponse | None:
        """Look through the account's audiences for one whose description holds the mark."""
        query = {"fields": "id,description", "limit": "200"}
        for _ in range(_MOST_PAGES):
            page = await self._page(f"{_edge(params, account)}?{urlencode(query)}", account, send)
            for audience in page.get("data") or ():
                if params["mark"] in str(member(audience, "description")):
                    return HttpResponse(200, {}, orjson.dumps({"id": member(audience, "id")}))
            after = member(page, "paging", "cursors", "after")
            if not member(page, "paging", "next") or not isinstance(after, str):
                return None
            query["after"] = after
        raise self._untold("it lists more audiences than can be looked through")

    async def _page(self, url: str, account: Account, send: Send) -> Mapping[str, Any]:
        response = await send(HttpRequest("GET", url, _headers(account)))
        page = json_object(response)
        if page is None or not isinstance(page.get("data"), list):
            raise self._untold(f"status {response.status}")
        return page

    def _untold(self, why: str) -> CallError:
        message = (
            f"the answer to the creation of an audience was lost, and Meta does not tell whether it exists ({why}); "
            "look in the Ads Manager, and give its id as config.audienceId"
        )
        return CallError(ErrorClass.INVALID_RESPONSE, message, operation=self.id)


class AddUsers(_MetaOperation):
    """Add rows to an audience. Adding somebody twice is harmless.

    Params: `version`, `audience`, `session` (`session_id`, `batch_seq`, `last_batch_flag`), `schema` (a list of keys),
    `data` (at most 10,000 rows, each as long as the schema; hashed, missing values empty).
    Value: `{"received": …, "invalid": …}`.
    """

    id: ClassVar[str] = "meta/add-users"
    repeat: ClassVar[Repeat] = Repeat.FREE
    # Up to 7 MB go out.
    timeout: ClassVar[float] = 120.0

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /{audience}/users`."""
        url = f"{account.base_url}/{_segment(params['version'])}/{_segment(params['audience'])}/users"
        payload = {"schema": params["schema"], "data": params["data"]}
        return json_request("POST", url, _headers(account), {"session": params["session"], "payload": payload})

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """How many rows arrived, and how many of them are of no use."""
        failed = _failure(response, account)
        if failed is not None:
            return failed
        body = json_object(response)
        received = count_of(member(body, "num_received"))
        if received is None:
            return unreadable(VENDOR, account, response, "no 'num_received'", paid=False)
        return Answer({"received": received, "invalid": count_of(member(body, "num_invalid_entries")) or 0})


def _edge(params: Params, account: Account) -> str:
    return f"{account.base_url}/{_segment(params['version'])}/{_segment(params['ad_account'])}/customaudiences"


def _segment(text: str) -> str:
    return quote(text, safe="")


def _headers(account: Account) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key_of(account)}"}


# --- errors

_RATE_CODES = frozenset({4, 17, 32, 341, 613, 80003, 80004})
_PASSING = frozenset({1, 2, 2650})
"""Temporary trouble; 2650 is an audience that could not be updated just now."""
_TOKEN = (
    "Meta does not accept the access token; make a new one for a system user with ads_management, and set {key} to it"
)
_PERMISSION = "the access token behind {key} may not do this; give its user ads_management and access to the ad account"
_MEANINGS: Mapping[int, tuple[ErrorClass, str]] = {
    10: (ErrorClass.AUTH, _PERMISSION),
    100: (ErrorClass.VALIDATION, "Meta refused a parameter; check the ids and the mapping of this node"),
    102: (ErrorClass.AUTH, _TOKEN),
    105: (ErrorClass.VALIDATION, "Meta refused the call as too large"),
    190: (ErrorClass.AUTH, _TOKEN),
    368: (ErrorClass.VALIDATION, "Meta has blocked this action as abusive; see the Account Quality page, and wait"),
    2635: (ErrorClass.VALIDATION, "Meta no longer has this version of its API; set config.apiVersion to a newer one"),
    2655: (
        ErrorClass.VALIDATION,
        "the terms of custom audiences have not been accepted for this ad account; a person must accept them once at "
        "https://business.facebook.com/ads/manage/customaudiences/tos/",
    ),
    1487301: (ErrorClass.NOT_FOUND, "the audience is not shared with this ad account; check config.audienceId"),
    1487366: (ErrorClass.NOT_FOUND, "the audience has been deleted; check config.audienceId"),
    1713230: (ErrorClass.VALIDATION, "Meta has blocked uploads to this audience; see the Account Quality page"),
}
_BY_SUBCODE: Mapping[int, int] = {1870034: 2655, 1487301: 1487301, 1487366: 1487366, 1713230: 1713230}
"""Subcodes that say more than their code: what they mean, by its code above."""


def _failure(response: HttpResponse, account: Account) -> Failure | None:
    """What the answer says went wrong; None if it says nothing of the kind."""
    body = json_body(response)
    error = member(body, "error")
    if isinstance(error, dict):
        return _told(error, response, account)
    if response.status == 200:
        # Cut off, or a page: whether the call was processed, nobody can tell.
        return unreadable(VENDOR, account, response, "no JSON", paid=False) if body is UNREADABLE else None
    if response.status in {400, 413} and body is UNREADABLE:
        meaning = "Meta's edge refused the request, most likely as too large"
        return refusal(VENDOR, account, response, error_class=ErrorClass.VALIDATION, meaning=meaning)
    return refusal(VENDOR, account, response)


def _told(error: Mapping[str, Any], response: HttpResponse, account: Account) -> Failure:
    code, subcode = count_of(error.get("code")), count_of(error.get("error_subcode"))
    shown = str(code) if subcode is None else f"{code}, {subcode}"
    why = "" if code is None else f" (code {shown})"
    if code in _RATE_CODES:
        return Failure(ErrorClass.RATE_LIMIT, f"Meta's rate limit is exceeded{why}", retry_after=_wait(response))
    if code in _PASSING or error.get("is_transient") is True:
        return Failure(ErrorClass.SERVER_ERROR, f"Meta failed on its own side{why}", retryable=True)
    known = _MEANINGS.get(_BY_SUBCODE.get(subcode or 0, code or 0))
    if known is None and code is not None and 200 <= code < 300:
        known = (ErrorClass.AUTH, _PERMISSION)
    if known is not None:
        return Failure(known[0], known[1].format(key=account.key_name) + why)
    error_class = ErrorClass.VALIDATION if response.status == 200 else class_of(response.status)
    return refusal(VENDOR, account, response, error_class=error_class, code=code)


# --- limits


class _Usage:
    """How much of a limit is used, in percent, and the seconds until it is free again."""

    def __init__(self, percent: float, wait: float) -> None:
        self.percent = percent
        self.wait = wait

    def pause(self) -> float:
        """Seconds to leave before the next call."""
        if self.wait and self.percent >= 100.0:
            return self.wait
        return LONGEST_SPREAD * max(0.0, min(self.percent, 100.0) - SLOW_FROM) / (100.0 - SLOW_FROM)


def _wait(response: HttpResponse) -> float | None:
    """The longest wait that the headers name; a refused call is over the limit, whatever percentage they show."""
    waits = [usage.wait for usage in _usages(response) if usage.wait]
    return max(waits, default=None)


def _usages(response: HttpResponse) -> Iterator[_Usage]:
    account = _header(response, "x-ad-account-usage")
    if isinstance(account, dict):
        # In seconds. The time belongs to a window that opens anew; it is no wait while something is left.
        percent = seconds(account.get("acc_id_util_pct")) or 0.0
        reset = seconds(account.get("reset_time_duration")) or 0.0
        yield _Usage(percent, reset if percent >= 100.0 else 0.0)
    cases = _header(response, "x-business-use-case-usage")
    for entries in cases.values() if isinstance(cases, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            # In minutes.
            yield _Usage(_most(entry), (seconds(member(entry, "estimated_time_to_regain_access")) or 0.0) * _MINUTE)
    app = _header(response, "x-app-usage")
    if isinstance(app, dict):
        yield _Usage(_most(app), 0.0)


def _most(entry: Any) -> float:
    return max(seconds(member(entry, name)) or 0.0 for name in ("call_count", "total_cputime", "total_time"))


def _header(response: HttpResponse, name: str) -> Any:
    try:
        return orjson.loads(response.headers.get(name, ""))
    except orjson.JSONDecodeError:
        return None
