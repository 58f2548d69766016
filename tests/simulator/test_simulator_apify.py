"""Apify by its contract: start, poll, read, recover; soft error items; charges that grow with the items."""

from datetime import datetime
from decimal import Decimal

import pytest

FACEBOOK = "/v2/actors/apify~facebook-comments-scraper"
INSTAGRAM = "/v2/actors/apify~instagram-comment-scraper"
POST = "https://www.facebook.com/examplebakery/posts/1222333444555666"
REEL = "https://www.instagram.com/p/CexampleA1b/"


def facebook_input(*urls, **more):
    return {"startUrls": [{"url": url} for url in urls or (POST,)], "resultsLimit": 20, **more}


def instagram_input(*urls, **more):
    return {"directUrls": list(urls or (REEL,)), "resultsLimit": 20, **more}


async def start(sim, body=None, path=FACEBOOK, query=""):
    answer = await sim.post(f"{path}/runs{query}", facebook_input() if body is None else body)
    assert answer.status == 201, answer.body
    return answer.json["data"]


async def items(sim, run, query=""):
    return (await sim.get(f"/v2/datasets/{run['defaultDatasetId']}/items{query}")).json


class TestRuns:
    async def test_starts_as_ready_and_ends_as_succeeded(self, make):
        sim = make(latency_scale=1)
        run = await start(sim)
        assert (run["status"], run["finishedAt"], run["exitCode"]) == ("READY", None, None)
        assert (run["usageTotalUsd"], run["chargedEventCounts"]["comment"]) == (0, 0)
        done = (await sim.get(f"/v2/actor-runs/{run['id']}?waitForFinish=60")).json["data"]
        assert (done["status"], done["exitCode"]) == ("SUCCEEDED", 0)
        assert datetime.fromisoformat(done["finishedAt"]) > datetime.fromisoformat(done["startedAt"])
        assert done["chargedEventCounts"] == {"apify-actor-start": 1, "comment": 20}
        assert Decimal(str(done["usageTotalUsd"])) == Decimal("0.0023") * 20

    async def test_is_ready_then_running_then_over(self, make, clock):
        sim = make(latency_scale=1, latencies={"apify": 0.0}, first_item_after=1.0)
        run, seen = await start(sim), []
        for moment in (0.1, 0.9, 5):
            clock.now = 1000 + moment
            seen.append((await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["status"])
        assert seen == ["READY", "RUNNING", "SUCCEEDED"]

    async def test_start_can_wait_for_the_end(self, make):
        run = await start(make(latency_scale=1), query="?waitForFinish=60")
        assert (run["status"], run["chargedEventCounts"]["comment"]) == ("SUCCEEDED", 20)

    async def test_price_is_named_by_the_run(self, sim):
        events = (await start(sim))["pricingInfo"]["pricingPerEvent"]["actorChargeEvents"]
        assert events["comment"]["eventPriceUsd"] == 0.0023

    async def test_a_long_poll_returns_when_the_run_ends(self, make, clock):
        sim = make(latency_scale=1, items_per_second=10, latencies={"apify": 0.0})
        run = await start(sim)
        before = clock.now
        assert (await sim.get(f"/v2/actor-runs/{run['id']}?waitForFinish=60")).json["data"]["status"] == "SUCCEEDED"
        assert clock.now - before == pytest.approx(2.1, abs=0.01)

    async def test_a_long_poll_ends_after_sixty_seconds_at_most(self, make, clock):
        sim = make(latency_scale=1, items_per_second=0.1, latencies={"apify": 0.0})
        run = await start(sim)
        before = clock.now
        polled = (await sim.get(f"/v2/actor-runs/{run['id']}?waitForFinish=100")).json["data"]
        assert (polled["status"], clock.now - before) == ("RUNNING", 60.0)

    async def test_same_start_twice_makes_two_runs(self, sim):
        first, second = await start(sim), await start(sim)
        assert first["id"] != second["id"]
        assert sim.bill("apify")["repeats"] == 1

    async def test_a_lost_start_is_found_by_the_list_and_the_stored_input(self, sim):
        lost = await start(sim, query="?timeout=900&memory=1024")
        await start(sim, instagram_input(), INSTAGRAM)
        listed = (await sim.get(f"{FACEBOOK}/runs?desc=1&limit=10")).json["data"]
        assert [run["id"] for run in listed["items"]] == [lost["id"]]
        store = listed["items"][0]["defaultKeyValueStoreId"]
        assert (await sim.get(f"/v2/key-value-stores/{store}/records/INPUT")).json == facebook_input()

    async def test_list_gives_the_newest_first_when_asked(self, sim, clock):
        runs = []
        for _ in range(3):
            runs.append((await start(sim))["id"])
            clock.now += 1
        listed = (await sim.get(f"{FACEBOOK}/runs?desc=1&limit=2")).json["data"]
        assert [run["id"] for run in listed["items"]] == [runs[2], runs[1]]
        assert (listed["total"], listed["count"]) == (3, 2)

    async def test_older_path_and_internal_id_lead_to_the_same_actor(self, sim):
        run = await start(sim, instagram_input(), "/v2/acts/SbK00X0JYCPblD2wp")
        listed = (await sim.get(f"{INSTAGRAM}/runs")).json["data"]["items"]
        assert [entry["id"] for entry in listed] == [run["id"]]

    async def test_an_encoded_tilde_is_a_tilde(self, sim):
        await start(sim, path="/v2/actors/apify%7Efacebook-comments-scraper")

    async def test_abort_keeps_what_was_scraped(self, make, clock):
        sim = make(latency_scale=1, items_per_second=10, latencies={"apify": 0.0})
        run = await start(sim)
        clock.now += 1.1
        aborted = (await sim.post(f"/v2/actor-runs/{run['id']}/abort")).json["data"]
        assert aborted["status"] == "ABORTED"
        clock.now += 100
        assert len(await items(sim, run)) == 10
        assert sim.bill("apify")["charges"]["USD"] == "0.023"

    async def test_graceful_abort_passes_through_aborting(self, make, clock):
        sim = make(latency_scale=1, items_per_second=1, latencies={"apify": 0.0})
        run = await start(sim, facebook_input(resultsLimit=200))
        aborting = (await sim.post(f"/v2/actor-runs/{run['id']}/abort?gracefully=true")).json["data"]
        assert aborting["status"] == "ABORTING"
        clock.now += 31
        assert (await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["status"] == "ABORTED"

    async def test_a_run_over_its_time_ends_as_timed_out_with_its_items(self, make, clock):
        sim = make(latency_scale=1, items_per_second=10, latencies={"apify": 0.0})
        run = await start(sim, query="?timeout=1")
        clock.now += 60
        assert (await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["status"] == "TIMED-OUT"
        assert len(await items(sim, run)) == 9

    async def test_a_charge_cap_ends_the_run_gracefully_with_fewer_items(self, sim):
        run = await start(sim, query="?maxTotalChargeUsd=0.02&waitForFinish=1")
        assert run["status"] == "SUCCEEDED"
        assert len(await items(sim, run)) == 8
        assert Decimal(sim.bill("apify")["charges"]["USD"]) == Decimal("0.0184")

    async def test_no_more_runs_at_once_than_the_plan_allows(self, make, clock):
        sim = make(latency_scale=1, items_per_second=1, concurrency={"apify": 2})
        for _ in range(2):
            await start(sim)
        refused = await sim.post(f"{FACEBOOK}/runs", facebook_input())
        assert (refused.status, refused.json["error"]["type"]) == (402, "concurrent-runs-limit-exceeded")
        clock.now += 60
        await start(sim)

    async def test_synchronous_run_returns_bare_items(self, sim):
        answer = await sim.post(f"{INSTAGRAM}/run-sync-get-dataset-items", instagram_input())
        assert (answer.status, len(answer.json)) == (201, 20)

    async def test_synchronous_run_loses_a_long_run(self, make):
        sim = make(latency_scale=1, items_per_second=0.05)
        answer = await sim.post(f"{INSTAGRAM}/run-sync-get-dataset-items", instagram_input())
        assert (answer.status, answer.json["error"]["type"]) == (408, "run-timeout-exceeded")
        listed = (await sim.get(f"{INSTAGRAM}/runs")).json["data"]["items"]
        assert [run["status"] for run in listed] == ["RUNNING"]


class TestItems:
    async def test_paging_gives_each_item_once_with_the_totals_in_headers(self, sim):
        run = await start(sim, facebook_input(POST, f"{POST}7", f"{POST}8"))
        whole, paged, offset, total = await items(sim, run), [], 0, 1
        while offset < total:
            answer = await sim.get(f"/v2/datasets/{run['defaultDatasetId']}/items?clean=true&offset={offset}&limit=7")
            paged += answer.json
            total = int(answer.headers["x-apify-pagination-total"])
            assert answer.headers["x-apify-pagination-count"] == str(len(answer.json))
            assert answer.headers["x-apify-pagination-offset"] == str(offset)
            assert answer.headers["x-apify-pagination-limit"] == "7"
            offset += 7
        assert total == len(whole) == 60
        assert paged == whole
        assert len({item["id"] for item in whole}) == 60
        assert [item["inputUrl"] for item in whole] == [POST] * 20 + [f"{POST}7"] * 20 + [f"{POST}8"] * 20

    async def test_items_can_be_read_while_the_run_works(self, make, clock):
        sim = make(latency_scale=1, items_per_second=100, latencies={"apify": 0.0})
        run = await start(sim, facebook_input(resultsLimit=200))
        early = []
        for moment in (0.05, 0.2, 0.5):
            clock.now = 1000 + moment
            early.append(await items(sim, run))
        clock.now += 60
        assert [len(page) for page in early] == [0, 10, 40]
        assert (await items(sim, run))[:40] == early[-1]

    async def test_items_of_a_run_without_its_dataset_id(self, sim):
        run = await start(sim)
        assert (await sim.get(f"/v2/actor-runs/{run['id']}/dataset/items")).json == await items(sim, run)

    async def test_results_limit_caps_what_a_post_has(self, make):
        sim = make(comments_per_url=30)
        assert len(await items(sim, await start(sim, facebook_input(resultsLimit=100)))) == 30
        assert len(await items(sim, await start(sim, facebook_input(resultsLimit=12)))) == 12

    async def test_the_same_post_is_scraped_once(self, sim):
        assert len(await items(sim, await start(sim, facebook_input(POST, POST)))) == 20

    async def test_a_facebook_comment_has_the_documented_shape(self, sim):
        for item in await items(sim, await start(sim)):
            assert item["facebookUrl"] == POST
            assert item["commentUrl"].startswith(POST)
            assert isinstance(item["likesCount"], str)
            assert item["threadingDepth"] == 0
            assert datetime.fromisoformat(item["date"]).tzinfo is not None

    async def test_an_instagram_comment_has_the_documented_shape(self, sim):
        run = await start(sim, instagram_input(), INSTAGRAM)
        for item in await items(sim, run):
            assert item["postUrl"] == REEL
            assert isinstance(item["likesCount"], int)
            assert item["repliesCount"] is None or isinstance(item["repliesCount"], int)
            assert item["owner"]["username"] == item["ownerUsername"]

    async def test_what_may_be_missing_is_missing_now_and_then(self, make):
        sim = make(comments_per_url=2000)
        facebook = await items(sim, await start(sim, facebook_input(resultsLimit=2000)))
        run = await start(sim, instagram_input(resultsLimit=2000), INSTAGRAM)
        instagram = await items(sim, run)
        rare = {
            "no author": sum("profileName" not in item for item in facebook),
            "no text": sum("text" not in item for item in facebook),
            "empty text": sum(item.get("text") == "" for item in facebook),
            "no owner": sum("owner" not in item for item in instagram),
            "no time": sum(item["timestamp"] is None for item in instagram),
            "likes -1": sum(item["likesCount"] == -1 for item in instagram),
        }
        assert all(2 <= count <= 80 for count in rare.values()), rare
        unnamed = sum(item["owner"]["full_name"] is None for item in instagram if "owner" in item)
        assert 500 < unnamed < 900

    async def test_replies_are_items_of_their_own_on_facebook(self, sim):
        run = await start(sim, facebook_input(includeNestedComments=True))
        scraped = await items(sim, run)
        replies = [item for item in scraped if item["threadingDepth"] == 1]
        assert (len(scraped), len(replies)) == (22, 2)
        assert {reply["replyToCommentId"] for reply in replies} <= {item["commentId"] for item in scraped}

    async def test_replies_are_nested_on_instagram(self, sim):
        run = await start(sim, instagram_input(includeNestedComments=True), INSTAGRAM)
        scraped = await items(sim, run)
        assert len(scraped) == 20
        assert [len(item["replies"] or []) for item in scraped].count(1) == 2

    @pytest.mark.parametrize(("mark", "code"), [("gone", "not_found"), ("private", "no_items")])
    async def test_an_unreadable_post_is_an_item_with_an_error_and_is_billed(self, sim, mark, code):
        run = await start(sim, facebook_input(f"https://www.facebook.com/{mark}/posts/1", POST))
        scraped = await items(sim, run)
        assert (await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]["status"] == "SUCCEEDED"
        assert scraped[0]["error"] == code
        assert [item for item in scraped if "error" in item] == scraped[:1]
        assert len(scraped) == 21
        assert Decimal(sim.bill("apify")["charges"]["USD"]) == 21 * Decimal("0.0023")

    async def test_a_post_without_comments_is_an_error_item_too(self, make):
        sim = make(comments_per_url=0)
        assert [item["error"] for item in await items(sim, await start(sim))] == ["no_items"]

    async def test_blocked_posts_by_the_fault_plan_on_request_only(self, make):
        urls = [f"{POST}{number}" for number in range(40)]

        async def blocked(**settings):
            sim = make(fault_rate=0.5, **settings)
            run = await start(sim, facebook_input(*urls, resultsLimit=1))
            return sum("error" in item for item in await items(sim, run))

        assert 10 < await blocked(fault_kinds=("soft_error_item",)) < 30


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "body", "kind"),
        [
            (FACEBOOK, {"startUrls": [POST]}, "invalid-input"),
            (FACEBOOK, {"startUrls": []}, "invalid-input"),
            (FACEBOOK, {"directUrls": [POST]}, "invalid-input"),
            (INSTAGRAM, {"directUrls": [{"url": REEL}]}, "invalid-input"),
            (INSTAGRAM, {"directUrls": [REEL], "resultsLimit": 0}, "invalid-input"),
            (INSTAGRAM, {"directUrls": [REEL], "resultsLimit": "5"}, "invalid-input"),
            (FACEBOOK, b"{not json", "run-input-body-not-valid-json"),
            (FACEBOOK, [], "run-input-body-not-valid-json"),
        ],
    )
    async def test_unusable_input(self, sim, path, body, kind):
        answer = await sim.post(f"{path}/runs", body)
        assert (answer.status, answer.json["error"]["type"]) == (400, kind)
        assert sim.bill("apify")["charges"]["USD"] == "0"

    @pytest.mark.parametrize(
        ("query", "kind"),
        [
            ("?maxTotalChargeUsd=0", "max-total-charge-usd-must-be-greater-than-zero"),
            ("?maxTotalChargeUsd=much", "max-total-charge-usd-must-be-greater-than-zero"),
            ("?maxItems=0", "max-items-must-be-greater-than-zero"),
            ("?memory=1000", "invalid-value"),
            ("?timeout=-1", "invalid-value"),
            ("?waitForFinish=soon", "invalid-value"),
        ],
    )
    async def test_unusable_options(self, sim, query, kind):
        answer = await sim.post(f"{FACEBOOK}/runs{query}", facebook_input())
        assert (answer.status, answer.json["error"]["type"]) == (400, kind)
        assert (await sim.get(f"{FACEBOOK}/runs")).json["data"]["total"] == 0

    async def test_too_large_and_wrong_type(self, sim):
        large = await sim.post(f"{FACEBOOK}/runs", b" " * 9_437_185)
        assert (large.status, large.json["error"]["type"]) == (413, "request-too-large")
        headers = {"authorization": "Bearer sim-key", "content-type": "text/plain"}
        assert (await sim.post(f"{FACEBOOK}/runs", facebook_input(), headers=headers)).status == 415

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("/v2/actor-runs/unknown", "record-not-found"),
            ("/v2/datasets/unknown/items", "record-not-found"),
            ("/v2/key-value-stores/unknown/records/INPUT", "record-not-found"),
            ("/v2/actors/apify~unknown/runs", "actor-not-found"),
        ],
    )
    async def test_unknown_things(self, sim, path, kind):
        answer = await sim.get(path)
        assert (answer.status, answer.json["error"]["type"]) == (404, kind)

    async def test_only_the_input_is_stored(self, sim):
        run = await start(sim)
        answer = await sim.get(f"/v2/key-value-stores/{run['defaultKeyValueStoreId']}/records/OUTPUT")
        assert answer.status == 404

    @pytest.mark.parametrize("query", ["?format=csv", "?fields=id", "?desc=1"])
    async def test_what_is_not_simulated_is_refused_not_ignored(self, sim, query):
        run = await start(sim)
        assert (await sim.get(f"/v2/datasets/{run['defaultDatasetId']}/items{query}")).status == 400

    @pytest.mark.parametrize(
        ("headers", "query", "status"),
        [
            ({"authorization": "Bearer sim-other"}, "", 200),
            ({}, "?token=sim-key", 200),
            ({}, "", 401),
            ({"authorization": "Bearer apify_api_EXAMPLE"}, "", 401),
            ({"authorization": "Basic sim-key"}, "", 401),
        ],
    )
    async def test_keys(self, sim, headers, query, status):
        answer = await sim.get(f"{FACEBOOK}/runs{query}", headers=headers)
        assert answer.status == status
        if status == 401:
            expected = "token-not-provided" if "Bearer" not in str(headers) else "user-or-token-not-found"
            assert answer.json["error"]["type"] == expected

    async def test_the_limit_holds_for_each_resource(self, sim):
        runs = [await start(sim), await start(sim, facebook_input(f"{POST}9"))]
        for _ in range(60):
            assert (await sim.get(f"/v2/actor-runs/{runs[0]['id']}")).status == 200
        refused = await sim.get(f"/v2/actor-runs/{runs[0]['id']}")
        assert (refused.status, refused.json["error"]["type"]) == (429, "rate-limit-exceeded")
        assert refused.headers["x-ratelimit-limit"] == "60"
        assert "retry-after" not in refused.headers
        assert (await sim.get(f"/v2/actor-runs/{runs[1]['id']}")).status == 200

    async def test_no_run_without_money(self, make):
        sim = make(budgets={"apify": Decimal("0.04")})
        await start(sim)
        refused = await sim.post(f"{FACEBOOK}/runs", facebook_input())
        assert (refused.status, refused.json["error"]["type"]) == (402, "not-enough-usage-to-run-paid-actor")


async def test_charges_grow_with_the_items_and_stop_at_the_end(make, clock):
    sim = make(latency_scale=1, items_per_second=10, latencies={"apify": 0.0})
    await start(sim)
    seen = []
    for moment in (0.05, 1.1, 2.5, 100):
        clock.now = 1000 + moment
        seen.append(sim.bill("apify")["charges"]["USD"])
    assert seen == ["0", "0.023", "0.046", "0.046"]


class TestAnyActor:
    DIRECTORY = "/v2/actors/example~business-directory"

    async def test_delivers_the_same_entries_each_time(self, make):
        body = {"queries": ["bakery", "freight"], "resultsLimit": 3}
        first = await items(one := make(), await start(one, body, self.DIRECTORY))
        again = await items(two := make(), await start(two, body, self.DIRECTORY))
        assert first == again
        assert [item["searchString"] for item in first] == ["bakery"] * 3 + ["freight"] * 3
        assert all(item["website"].endswith(".example.com") for item in first)

    async def test_other_actors_deliver_other_entries(self, sim):
        body = {"startUrls": [{"url": "https://example.com/list"}]}
        one, other = [await items(sim, await start(sim, body, f"/v2/acts/example~{name}")) for name in ("one", "two")]
        assert len(one) == len(other) == 20
        assert one != other

    async def test_an_entry_that_cannot_be_read_is_an_error_item(self, sim):
        (item,) = await items(sim, await start(sim, {"urls": ["https://example.com/gone"]}, self.DIRECTORY))
        assert item["error"] == "not_found"

    async def test_is_charged_by_result_and_capped(self, sim):
        run = await start(sim, {"urls": []}, self.DIRECTORY, "?maxTotalChargeUsd=0.01&memory=256")
        done = (await sim.get(f"/v2/actor-runs/{run['id']}")).json["data"]
        assert done["chargedEventCounts"] == {"apify-actor-start": 1, "result": 4}
        assert sim.bill("apify")["charges"]["USD"] == "0.0092"

    @pytest.mark.parametrize("name", ["example~unknown-thing", "nobody", "a~b~c", "~"])
    async def test_some_do_not_exist(self, sim, name):
        answer = await sim.post(f"/v2/actors/{name}/runs", {})
        assert (answer.status, answer.json["error"]["type"]) == (404, "actor-not-found")
