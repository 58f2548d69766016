"""Comments are scraped in one run, handed on while it goes on, paid once, and found again after an interruption."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.api.apify_scraper import ApifyScraper
from lumeflow.kit.actor_runs import EAGER_READS
from lumeflow.plugin import CallError, ErrorClass, NodeError
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.providers.desk import Desk, context, reply

POST = "https://www.instagram.com/p/CexampleA1b/"
AUDIENCE = {"id": "a-1", "type": "instagram", "urls": [POST]}
CONFIG = {"provider": "apify", "mapping": {"url": "{{input.urls}}", "platform": "{{input.type}}"}}


def comments(count, start=0):
    return [{"id": str(number), "text": f"comment {number}"} for number in range(start, start + count)]


@dataclass
class Vendor:
    """An Apify whose run has produced so many items at each reading.

    Attributes:
        items: Everything that the run produces.
        there: How many of them are there at the first, second… question about the run or its dataset; then all.
        status: How the run ends, as soon as all are there.
    """

    items: list
    there: list = field(default_factory=list)
    status: str = "SUCCEEDED"
    run: dict = field(default_factory=dict)
    paths: list = field(default_factory=list)

    def __call__(self, request):
        parts = urlsplit(request.url)
        self.paths.append(parts.path.removeprefix("/v2/"))
        if request.method == "POST":
            return reply({"data": {"id": "r1", "defaultDatasetId": "d1", "status": "READY"}}, 201)
        there = self.there.pop(0) if self.there else len(self.items)
        if "/actor-runs/" in request.url:
            over = there == len(self.items)
            return reply({"data": {"status": self.status if over else "RUNNING", "usageTotalUsd": 0.25, **self.run}})
        query = {name: int(values[0]) for name, values in parse_qs(parts.query).items() if name != "format"}
        page = self.items[:there][query["offset"] : query["offset"] + query["limit"]]
        return reply(page, 200, {"x-apify-pagination-total": str(there)})


def ids(run):
    return [record["id"] for record in run.records]


async def test_the_payload_gets_comments_and_metadata():
    ctx = context(Vendor(comments(3)))

    run = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=ctx)

    assert run.output == {
        **AUDIENCE,
        "comments": [{"id": str(n), "text": f"comment {n}", "platform": "instagram"} for n in range(3)],
        "metadata": {"totalComments": 3, "urlsProcessed": 1, "platform": "instagram"},
    }
    assert str(ctx.desk.charged) == "0.25"


@pytest.mark.parametrize(
    ("config", "audience", "actor", "given"),
    [
        (
            {"limits": {"facebook": 100, "instagram": 1000}},
            AUDIENCE,
            "apify~instagram-comment-scraper",
            {"directUrls": [POST], "resultsLimit": 1000, "includeNestedComments": False},
        ),
        (
            {"limits": {"facebook": 100}, "includeReplies": True, "input": {"viewOption": "RECENT_ACTIVITY"}},
            {"type": "Facebook", "urls": ["https://www.facebook.com/examplebakery/posts/1"]},
            "apify~facebook-comments-scraper",
            {
                "startUrls": [{"url": "https://www.facebook.com/examplebakery/posts/1"}],
                "resultsLimit": 100,
                "includeNestedComments": True,
                "viewOption": "RECENT_ACTIVITY",
            },
        ),
        (
            {"limits": 5, "actor": "mine/instagram-thing", "mapping": {"url": "{{input.urls}}"}},
            {"urls": POST},
            "mine~instagram-thing",
            {"directUrls": [POST], "resultsLimit": 5, "includeNestedComments": False},
        ),
        (
            {"actor": {"instagram": "a/b"}, "mapping": {"url": "{{input.urls}}"}},
            {"urls": [POST, POST + "?x"]},
            "a~b",
            {"directUrls": [POST, POST + "?x"], "includeNestedComments": False},
        ),
    ],
)
async def test_what_the_actor_is_given(config, audience, actor, given):
    ctx = context(Vendor(comments(1)))

    await run_block(ApifyScraper, {**CONFIG, **config}, audience, context=ctx)

    assert ctx.desk.sent[0].url == f"https://api.apify.com/v2/actors/{actor}/runs"
    assert orjson.loads(ctx.desk.sent[0].body) == given


async def test_a_post_that_is_named_twice_is_scraped_once():
    ctx = context(Vendor(comments(1)))
    audience = {**AUDIENCE, "urls": [POST, f" {POST} "]}

    run = await run_block(ApifyScraper, CONFIG, audience, context=ctx)

    assert orjson.loads(ctx.desk.sent[0].body)["directUrls"] == [POST]
    assert run.output["metadata"]["urlsProcessed"] == 1


async def test_a_run_can_be_capped():
    ctx = context(Vendor(comments(1)))

    await run_block(ApifyScraper, {**CONFIG, "maxTotalChargeUsd": 2.5, "runTimeout": 900}, AUDIENCE, context=ctx)

    assert ctx.desk.sent[0].url.endswith("/runs?timeout=900&maxTotalChargeUsd=2.5")


# --- streaming


@pytest.mark.parametrize(
    "there",
    [
        [],
        [0, 0, 3],
        [0] * 20,
        [1, 1, 2, 2, 2, 2, 3],
        [999, 1000, 1000, 1500, 1500],
        [2500, 2500, 2500],
        [2499],
    ],
)
async def test_every_item_comes_once_and_in_order_however_they_appear(there):
    vendor = Vendor(comments(2500), list(there))

    run = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=context(vendor))

    assert ids(run) == [str(number) for number in range(2500)]


async def test_items_are_handed_on_while_the_run_goes_on():
    vendor = Vendor(comments(10), [4, 4, 7])
    ctx = context(vendor)
    block = ApifyScraper(ApifyScraper.Config.model_validate(CONFIG))
    outcomes = block.produce(ctx.at(AUDIENCE, 0, AUDIENCE, None))

    first = [await anext(outcomes) for _ in range(4)]

    assert [comment["id"] for comment in first] == ["0", "1", "2", "3"]
    assert [path for path in vendor.paths if path.startswith("actor-runs")] == []
    assert len([outcome async for outcome in outcomes]) == 6


async def test_an_empty_dataset_is_looked_at_a_few_times_before_the_line_is_held():
    vendor = Vendor(comments(2), [0] * EAGER_READS)

    await run_block(ApifyScraper, CONFIG, AUDIENCE, context=context(vendor))

    assert vendor.paths[1 : EAGER_READS + 2] == ["datasets/d1/items"] * EAGER_READS + ["actor-runs/r1"]


async def test_a_run_without_comments_is_no_error():
    ctx = context(Vendor([]))

    run = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=ctx)

    assert run.output["comments"] == []
    assert run.output["metadata"]["totalComments"] == 0
    assert str(ctx.desk.charged) == "0.25"


@pytest.mark.parametrize("there", [[], [3, 3, 5, 5, 9], [0, 2, 2, 2, 7, 7, 7, 8]])
async def test_a_resume_asks_apify_for_nothing(there):
    first = context(Vendor(comments(10), list(there)))
    before = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=first)
    gone = context(lambda request: reply({"error": {"type": "record-not-found"}}, 404))
    gone.desk.stored = first.desk.stored

    after = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=gone)

    assert after.output == before.output
    assert gone.desk.sent == []


async def test_an_interrupted_scrape_goes_on_where_it_was():
    growth = [500, 500, 1200]
    undisturbed = Vendor(comments(2500), list(growth))
    whole = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=context(undisturbed))

    for answers in range(1, len(undisturbed.paths)):
        vendor = Vendor(comments(2500), list(growth))
        first = context(lambda request, vendor=vendor, most=answers: _until(most, vendor, request))
        with pytest.raises(CallError):
            await run_block(ApifyScraper, CONFIG, AUDIENCE, context=first)
        second = context(vendor)
        second.desk.stored = first.desk.stored

        run = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=second)

        assert run.output == whole.output
        assert [path for path in vendor.paths if path.endswith("/runs")] == [undisturbed.paths[0]]
        assert str(first.desk.charged + second.desk.charged) == "0.25"


def _until(most, vendor, request):
    return vendor(request) if len(vendor.paths) < most else reply("", 401)


# --- cost


async def test_a_cost_that_is_null_at_first_is_computed_once():
    ctx = context(Vendor(comments(10), run={"usageTotalUsd": None}))

    await run_block(ApifyScraper, CONFIG, AUDIENCE, context=ctx)

    assert str(ctx.desk.charged) == "0.0190"


@pytest.mark.parametrize(
    ("status", "error_class"),
    [("FAILED", ErrorClass.SERVER_ERROR), ("ABORTED", ErrorClass.SERVER_ERROR), ("TIMED-OUT", ErrorClass.TIMEOUT)],
)
async def test_a_run_that_ends_badly_is_read_and_paid_for_first(status, error_class):
    ctx = context(Vendor(comments(3), status=status))
    block = ApifyScraper(ApifyScraper.Config.model_validate(CONFIG))
    seen = []

    with pytest.raises(NodeError, match=f"run r1 ended as {status} after 3 items") as caught:  # noqa: PT012
        async for comment in block.produce(ctx.at(AUDIENCE, 0, AUDIENCE, None)):
            seen.append(comment["id"])  # noqa: PERF401 - what came before the error is what matters

    assert caught.value.error_class is error_class
    assert seen == ["0", "1", "2"]
    assert str(ctx.desk.charged) == "0.25"


async def test_a_dataset_that_lost_items_is_not_taken_for_complete():
    def vendor(request):
        if "limit=1000" in request.url and "offset=0" not in request.url:
            return reply([], 200, {"x-apify-pagination-total": "5"})
        return Vendor(comments(5) if "limit=1&" in request.url or request.url.endswith("limit=1") else comments(3))(
            request
        )

    with pytest.raises(NodeError, match="has 5 items, but gives none after 3"):
        await run_block(ApifyScraper, CONFIG, AUDIENCE, context=context(vendor))


# --- items that are no comments


@pytest.mark.parametrize(
    ("item", "error_class", "told", "processed"),
    [
        ({"error": "no_items", "inputUrl": POST, "url": POST}, ErrorClass.NOT_FOUND, "post 1 of 2: no_items", 1),
        ({"error": "not_found", "url": POST}, ErrorClass.NOT_FOUND, "post 1 of 2: not_found", 1),
        ({"error": "not_found"}, ErrorClass.NOT_FOUND, "a post: not_found", 2),
        ({"error": "Blocked: Lena Okafor", "url": 7}, ErrorClass.NOT_FOUND, "a post: an error", 2),
        ("text", ErrorClass.INVALID_RESPONSE, "a string in place of a comment", 2),
        (None, ErrorClass.INVALID_RESPONSE, "null in place of a comment", 2),
        ({"ownerUsername": "tomas.example"}, ErrorClass.INVALID_RESPONSE, "neither id nor text", 2),
    ],
)
async def test_one_bad_item_is_one_failed_record(item, error_class, told, processed):
    audience = {**AUDIENCE, "urls": [POST, POST + "2"]}

    run = await run_block(
        ApifyScraper, CONFIG, audience, context=context(Vendor([*comments(1), item, *comments(1, 1)]))
    )

    assert ids(run) == ["0", "1"]
    (failed,) = run.failed
    assert (failed.position, failed.error.error_class) == (1, error_class)
    assert told in str(failed.error)
    assert run.output["metadata"] == {"totalComments": 2, "urlsProcessed": processed, "platform": "instagram"}


async def test_replies_follow_their_comment_where_wanted():
    items = [{**comments(1)[0], "replies": [{"id": "0a", "text": "Medium!"}]}, *comments(1, 1)]

    without = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=context(Vendor(items)))
    including = await run_block(
        ApifyScraper, {**CONFIG, "includeReplies": True}, AUDIENCE, context=context(Vendor(items))
    )

    assert ids(without) == ["0", "1"]
    assert ids(including) == ["0", "0a", "1"]


# --- what it cannot work with


@pytest.mark.parametrize(
    ("audience", "told"),
    [
        (
            {**AUDIENCE, "urls": []},
            r"'mapping.url' \(\{\{input.urls\}\}\) must give an address.*it gives an empty list",
        ),
        ({"type": "instagram"}, "it gives null"),
        ({**AUDIENCE, "urls": {}}, "it gives an object"),
        ({**AUDIENCE, "urls": [POST, 7]}, "it gives a list"),
        ({**AUDIENCE, "urls": ["ftp://example.com", ""]}, "begins with http"),
        ({**AUDIENCE, "type": "facebok"}, "gives another text. Did you mean 'facebook'?"),
        ({**AUDIENCE, "type": "telegram"}, "gives another text. Known: "),
        ({**AUDIENCE, "type": None}, "gives no platform. Known: facebook, instagram."),
    ],
)
async def test_a_payload_that_cannot_be_scraped_stops_the_node_before_anything_is_paid(audience, told):
    ctx = context(Vendor([]))

    with pytest.raises(NodeError, match=told) as caught:
        await run_block(ApifyScraper, CONFIG, audience, context=ctx)

    assert caught.value.error_class is ErrorClass.VALIDATION
    assert ctx.desk.sent == []


async def test_a_platform_without_actor_is_named():
    config = {**CONFIG, "actor": {"facebook": "a/b"}}

    with pytest.raises(NodeError, match="no actor for the platform 'instagram', only for facebook"):
        await run_block(ApifyScraper, config, AUDIENCE, context=context(Vendor([])))


async def test_a_missing_mapping_is_named():
    with pytest.raises(NodeError, match=r"'mapping\.url' is missing"):
        await run_block(
            ApifyScraper, {"provider": "apify", "actor": "a/instagram"}, AUDIENCE, context=context(Vendor([]))
        )


async def test_one_bad_address_among_good_ones_is_one_failed_record():
    audience = {**AUDIENCE, "urls": ["example.com/p/1", POST]}

    run = await run_block(ApifyScraper, CONFIG, audience, context=context(Vendor(comments(1))))

    assert str(run.failed[0].error) == "address 1 of 2 that 'mapping.url' gives does not begin with http(s)://"
    assert ids(run) == ["0"]


async def test_a_payload_that_does_not_meet_the_condition_is_not_scraped():
    ctx = context(Vendor(comments(1)))
    config = {**CONFIG, "condition": {"field": "type", "operator": "equals", "value": "facebook"}}

    run = await run_block(ApifyScraper, config, AUDIENCE, context=ctx)

    assert ctx.desk.sent == []
    assert run.output["metadata"] == {"totalComments": 0, "urlsProcessed": 0, "platform": ""}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"mapping": {"urls": "x"}}, "unknown key 'urls'. Did you mean 'url'?"),
        ({"limits": {"facebok": 1}}, "limits has the unknown key 'facebok'. Did you mean 'facebook'?"),
        ({"actor": {"x": "a/b"}}, "actor has the unknown key 'x'"),
        ({"limits": 0}, "at least 1"),
        ({"limits": {"facebook": 0}}, "at least 1"),
        ({"batchMode": True}, "one record at a time"),
        ({"maxTotalChargeUsd": 0}, "greater than 0"),
        ({"fieldMapping": {}}, "Extra inputs"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        ApifyScraper.Config.model_validate({**CONFIG, **config})
    assert told in str(caught.value)


# --- at the simulator


@pytest.mark.parametrize(
    ("platform", "url", "price"),
    [("instagram", POST, "0.38"), ("facebook", "https://www.facebook.com/examplebakery/posts/1", "0.46")],
)
async def test_the_bill_agrees(platform, url, price):
    simulator = Simulator(SimulatorSettings(latency_scale=0.01))
    ctx = context(desk=Desk(simulator=simulator))
    audience = {"type": platform, "urls": [url]}

    run = await run_block(ApifyScraper, CONFIG | {"limits": 1000}, audience, context=ctx)

    assert len(run.records) == 200
    assert len(set(ids(run))) == 200
    assert f"{ctx.desk.charged.normalize():f}" == price == simulator.bill()["totals"]["charges"]["USD"]


@pytest.mark.parametrize("count", [0, 1, 2500])
async def test_a_mock_stands_for_a_whole_run(count):
    mocked = [{"id": str(n), "text": "Hi", "from": {"name": "Mira Holt"}, "url": None, "x": 1} for n in range(count)]
    ctx = context(lambda request: reply({"comments": mocked}))

    run = await run_block(ApifyScraper, CONFIG, AUDIENCE, context=ctx)

    assert len(run.records) == count
    assert run.records[:1] == [{"id": "0", "text": "Hi", "from": {"name": "Mira Holt"}}][:count]
    assert ctx.desk.charged == 0
