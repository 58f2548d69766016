"""A block alone, through the real engine: `await SomeBlock.execute(config, input, context)`."""

from array import array
from decimal import Decimal

import pytest
from pydantic import Field

from lumeflow import ExecutionContext, InvalidWorkflow, Settings, UsageError
from lumeflow.plugin import (
    Block,
    BlockConfig,
    BlockType,
    ErrorClass,
    NodeError,
    RecordError,
    Route,
    Skip,
    TemplateField,
    Whole,
)
from lumeflow.plugins import load_registry

REGISTRY, PROBLEMS = load_registry(entry_points=False)
APOLLO = REGISTRY.block("api/apollo-people-match")
AUDIENCE = {"id": "aud-1", "name": "Bakery", "type": "instagram", "urls": ["https://www.instagram.com/p/Cexample1/"]}
MIRA = {"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}


class GradeConfig(BlockConfig):
    operation: str
    least: float = 0.5
    label: TemplateField = Field(default="", validate_default=True)
    collection: str | None = None


class Grade(Block[GradeConfig]):
    """Every outcome that a record can have."""

    type = BlockType.FILTER
    name = "grade"
    when = ({"operation": "grade"},)
    Config = GradeConfig

    async def open(self, ctx):
        return {"graded": True}

    async def process(self, record, ctx):
        score = record.get("score")
        if not isinstance(score, float):
            raise RecordError(ErrorClass.VALIDATION, "score must be a number")
        if score < self.config.least:
            return Skip(f"score is below {self.config.least}")
        return {**record, "label": ctx.render(self.config.label, record)}


class Sort(Grade):
    """Two ways out, neither bound to a node."""

    name = "sort"

    def out_ports(self):
        return ("out", "low")

    async def process(self, record, ctx):
        return record if record["score"] >= self.config.least else Route("low", record)


class Refuse(Grade):
    """It cannot work at all."""

    name = "refuse"

    async def process(self, record, ctx):
        raise NodeError(ErrorClass.AUTH, "the key is not accepted")


class Count(Block[GradeConfig]):
    """Needs everything at once."""

    type = BlockType.TRANSFORM
    name = "count"
    when = ({"operation": "count"},)
    Config = GradeConfig

    async def run(self, payloads, ctx):
        (payload,) = payloads.values()
        return Whole({"count": sum(1 for _ in payload.records), **payload.fields}, None, ())


@pytest.fixture
def context(tmp_path):
    def make(**changes):
        return ExecutionContext(**{"settings": Settings(data_dir=tmp_path), **changes})

    return make


class TestRecords:
    async def test_a_collection_comes_out_as_a_list(self, context):
        payload = {"batch": 7, "leads": [{"score": 0.9}, {"score": 0.6}]}
        result = await Grade.execute({"operation": "grade", "label": "{{input.score}}"}, payload, context())
        assert result.status == "success"
        assert result.output == {
            "batch": 7,
            "graded": True,
            "leads": [{"score": 0.9, "label": 0.9}, {"score": 0.6, "label": 0.6}],
        }
        assert (result.failed, result.skipped, result.cost, result.error) == ([], [], Decimal(0), None)

    async def test_failed_and_left_out_records_are_told_by_position(self, context):
        payload = {"leads": [{"score": 0.9}, {"score": "high"}, {"score": 0.1}]}
        result = await Grade.execute({"operation": "grade"}, payload, context())
        assert result.status == "success"
        assert result.output["leads"] == [{"score": 0.9, "label": ""}]
        assert result.failed == ["record 1: VALIDATION: score must be a number"]
        assert result.skipped == ["record 2: score is below 0.5"]

    async def test_a_payload_without_a_collection_is_one_record(self, context):
        result = await Grade.execute({"operation": "grade"}, {"score": 0.9, "tags": ["a"]}, context())
        assert result.output == {"score": 0.9, "tags": ["a"], "label": "", "graded": True}

    async def test_its_failure_is_the_failure_of_the_block(self, context):
        result = await Grade.execute({"operation": "grade"}, {"score": None}, context())
        assert (result.status, result.error) == ("failed", "score must be a number")
        assert result.output == {}

    async def test_left_out_it_leaves_nothing(self, context):
        result = await Grade.execute({"operation": "grade"}, {"score": 0.1}, context())
        assert (result.status, result.output) == ("success", {})
        assert result.skipped == ["record 0: score is below 0.5"]

    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            pytest.param({"leads": []}, {"graded": True, "leads": []}, id="empty"),
            pytest.param({"x": 1}, {"x": 1, "graded": True, "leads": []}, id="missing"),
            pytest.param(
                {"leads": [{"score": 1.0}], "others": [{"score": 0.0}]},
                {"others": [{"score": 0.0}], "graded": True, "leads": [{"score": 1.0, "label": ""}]},
                id="one of two lists",
            ),
        ],
    )
    async def test_the_collection_can_be_named(self, context, payload, expected):
        result = await Grade.execute({"operation": "grade", "collection": "leads"}, payload, context())
        assert result.output == expected

    async def test_all_records_left_out_leave_an_empty_list(self, context):
        result = await Grade.execute({"operation": "grade"}, {"leads": [{"score": 0.1}]}, context())
        assert result.output == {"graded": True, "leads": []}

    async def test_a_block_that_cannot_go_on(self, context):
        result = await Refuse.execute({"operation": "grade"}, {"leads": [{}, {}]}, context())
        assert result.status == "failed"
        assert result.error == "the key is not accepted"
        assert [reason.partition(":")[0] for reason in result.failed] == ["record 0", "record 1"]

    async def test_a_block_that_needs_everything(self, context):
        result = await Count.execute({"operation": "count"}, {"x": 1, "leads": [{}, {}, {}]}, context())
        assert result.output == {"count": 3, "x": 1}

    async def test_text_in_braces_is_data_and_no_template(self, context):
        payload = {"note": "{{secrets.key}}", "leads": [{"score": 1.0, "name": "{{input.x}}"}]}
        result = await Grade.execute({"operation": "grade"}, payload, context())
        assert result.output["note"] == "{{secrets.key}}"
        assert result.output["leads"][0]["name"] == "{{input.x}}"


class TestWaysOut:
    async def test_unbound_ports_are_named_in_the_output(self, context):
        payload = {"leads": [{"score": 0.9}, {"score": 0.1}]}
        result = await Sort.execute({"operation": "grade"}, payload, context())
        assert result.output == {
            "out": {"graded": True, "leads": [{"score": 0.9}]},
            "low": {"graded": True, "leads": [{"score": 0.1}]},
        }

    @pytest.mark.parametrize("targets", [("yes", "no"), ("block", "input"), ("true", "false"), ("same", "same")])
    async def test_a_branch_names_the_nodes_that_its_config_binds(self, context, targets):
        condition = {"field": "email", "operator": "exists"}
        config = {"condition": condition, "branches": {"true": targets[0], "false": targets[1]}}
        branch = REGISTRY.block("branch/condition")
        result = await branch.execute(config, {"people": [MIRA, {"firstName": "Tomás"}]}, context())
        expected = {}
        for target, person in zip(targets, (MIRA, {"firstName": "Tomás"}), strict=True):
            expected.setdefault(target, {"people": []})["people"].append(person)
        assert result.output == expected

    async def test_a_way_that_nothing_took_is_not_there(self, context):
        config = {"condition": {"field": "email", "operator": "exists"}, "branches": {"true": "yes", "false": "no"}}
        result = await REGISTRY.block("branch/condition").execute(config, {"people": [MIRA]}, context())
        assert result.output == {"yes": {"people": [MIRA]}}


class TestInputsOutputsMerges:
    async def test_an_input_block_gets_the_input_of_the_execution(self, context):
        block = REGISTRY.block("input/database")
        config = {"source": "database", "query": "source_audiences", "fields": ["id", "urls"]}
        tables = {"source_audiences": [AUDIENCE]}
        result = await block.execute(config, {"sourceAudienceId": "aud-1"}, context(tables=tables))
        assert result.output == {"id": "aud-1", "urls": AUDIENCE["urls"]}

    async def test_rows_that_do_not_fit_their_table(self, context):
        with pytest.raises(UsageError, match=r"row 1: unknown column 'url'\. Did you mean 'urls'"):
            await Grade.execute({"operation": "grade"}, {}, context(tables={"source_audiences": [{"url": 1}]}))

    async def test_an_output_block_gives_its_report(self, context, tmp_path):
        block = REGISTRY.block("output/json")
        config = {"destination": "json", "path": str(tmp_path / "people.json")}
        result = await block.execute(config, {"people": [MIRA]}, context())
        assert result.output == {"path": str(tmp_path / "people.json"), "recordsCount": 1}
        assert "mira.holt@example.com" in (tmp_path / "people.json").read_text()

    async def test_a_merge_block_gets_payloads_by_source(self, context):
        block = REGISTRY.block("merge/append")
        payloads = {"instagram": {"people": [{"n": 1}]}, "block": {"people": [{"n": 2}]}}
        for sources in (["instagram", "block"], ["block", "instagram"]):
            result = await block.execute({"strategy": "append", "sources": sources}, payloads, context())
            assert result.output["people"] == [payloads[source]["people"][0] for source in sources]

    async def test_a_merge_block_takes_no_other_payload(self, context):
        with pytest.raises(UsageError, match="by the id of the node that they come from; 'people' is a list"):
            await REGISTRY.block("merge/append").execute({"strategy": "append"}, {"people": [MIRA]}, context())


class TestCalls:
    async def test_demo_answers_and_what_they_would_cost(self, context):
        result = await APOLLO.execute(APOLLO.example, APOLLO.example_input, context())
        assert result.status == "success"
        assert all(person["enriched"] for person in result.output["contacts"])
        assert result.cost == Decimal("0.025") * len(result.output["contacts"])

    @pytest.mark.parametrize("name", ["apollo", "apollo/people-match", "block"])
    async def test_mocks_take_their_place(self, context, name):
        person = {"person": {"id": "p-1", "first_name": "Mira", "last_name": "Holt", "title": "Head Baker"}}
        result = await APOLLO.execute({"provider": "apollo"}, {"people": [MIRA]}, context(mocks={name: person}))
        assert result.output["people"][0]["title"] == "Head Baker"

    async def test_live_calls_need_a_key(self, context):
        result = await APOLLO.execute({"provider": "apollo"}, {"people": [MIRA]}, context(mode="live"))
        assert result.status == "failed"
        assert "APOLLO_API_KEY" in result.error

    async def test_embeddings_are_float_arrays(self, context):
        block = REGISTRY.block("api/mixedbread-embeddings")
        result = await block.execute(block.example, block.example_input, context())
        vector = result.output["contacts"][0]["embedding"]
        assert isinstance(vector, array)
        assert len(vector) == 1024

    async def test_two_runs_of_one_id_and_time_are_equal(self, context):
        block = REGISTRY.block("api/apify-scraper")
        runs = [await block.execute(block.example, block.example_input, context(execution_id="run-1")) for _ in "ab"]
        assert runs[0].output == runs[1].output
        assert runs[0].output["comments"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("config", "pointer"),
        [
            ({"operation": "grade", "least": "much"}, "/nodes/1/config/least"),
            ({"operation": "grade", "lest": 0.5}, "/nodes/1/config/lest"),
            ({"operation": "grade", "label": "{{input.}}"}, "/nodes/1/config/label"),
            ({"operation": "sum"}, "/nodes/1/config/operation"),
        ],
    )
    async def test_a_wrong_configuration(self, context, config, pointer):
        with pytest.raises(InvalidWorkflow) as caught:
            await Grade.execute(config, {"score": 1.0}, context())
        assert [finding.pointer for finding in caught.value.report.errors] == [pointer]

    async def test_no_other_block_is_ever_meant(self, context):
        with pytest.raises(InvalidWorkflow, match="no filter block is meant: set 'operation'"):
            await Grade.execute({}, {"score": 1.0}, context())

    async def test_a_payload_that_is_no_object(self, context):
        with pytest.raises(UsageError, match="must be an object; found a list"):
            await Grade.execute({"operation": "grade"}, [], context())

    async def test_a_collection_that_is_no_list(self, context):
        result = await Grade.execute({"operation": "grade", "collection": "leads"}, {"leads": "x"}, context())
        assert result.status == "failed"
        assert "'leads' must be a list of objects; found a string" in result.error

    def test_an_unknown_mode(self):
        with pytest.raises(UsageError, match=r"the mode 'dmo' is not known\. Did you mean 'demo'"):
            ExecutionContext(mode="dmo")

    def test_mocks_are_for_demo_mode(self):
        with pytest.raises(UsageError, match="mocks are demo answers"):
            ExecutionContext(mode="live", mocks={"apollo": {}})


def test_all_blocks_are_installed():
    assert PROBLEMS == []
