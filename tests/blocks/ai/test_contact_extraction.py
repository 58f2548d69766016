"""Comments become contacts; what the model gets wrong is asked again, and at worst costs one record."""

import orjson
import pytest
from pydantic import ValidationError

from lumeflow.blocks.ai.contact_extraction import ContactExtraction
from lumeflow.plugin import CallError, ErrorClass, NodeError
from lumeflow.simulator import Simulator, SimulatorSettings
from lumeflow.testing import run_block
from tests.blocks.ai.models import Model, contacts_for, lines, said
from tests.providers.desk import Desk, context, reply

PLAN = {
    "provider": "openrouter",
    "model": "mistralai/mistral-7b-instruct:free",
    "promptTemplate": "extract-contacts-from-comments",
    "batchSize": 50,
    "mapping": {"comments": "{{input.comments}}"},
}


def comments(count):
    return [{"id": f"x{number}", "text": f"Name{number}"} for number in range(1, count + 1)]


async def extract(given, *script, config=PLAN, **more):
    model = more.pop("model", None) or Model(*script)
    ctx = more.pop("ctx", None) or context(model)
    run = await run_block(ContactExtraction, config, {"comments": given}, context=ctx, collection="comments")
    return run, model, ctx


def names(run):
    return [contact.get("firstName") for contact in run.records]


async def test_each_comment_gives_its_contacts():
    answer = orjson.dumps(
        {
            "items": [
                {"id": "c2", "contacts": []},
                {
                    "id": "c1",
                    "contacts": [
                        {
                            "firstName": "Lena",
                            "lastName": "Okafor",
                            "email": "lena@example.com",
                            "phone": None,
                            "company": "Example Freight",
                            "confidence": 0.93,
                        },
                        {"firstName": "Tomas", "email": "tomas at example", "confidence": 2},
                    ],
                },
            ]
        }
    ).decode()

    run, _, _ = await extract([{"id": "x1", "text": "Write to us"}, {"text": "Love it!"}], answer)

    assert run.records == [
        {
            "firstName": "Lena",
            "lastName": "Okafor",
            "email": "lena@example.com",
            "company": "Example Freight",
            "confidence": 0.93,
            "sourceCommentId": "x1",
        },
        {"firstName": "Tomas", "confidence": 1.0, "sourceCommentId": "x1"},
    ]


async def test_the_model_sees_a_line_for_each_comment_with_ids_by_place():
    given = [
        {"id": "17900", "text": "Hi", "from": {"name": "Mira Holt", "username": "mira.holt"}, "likes": 3},
        {"id": "17901", "text": "Line one\nline two", "from": {"username": "tomas"}},
        {"id": "17902", "text": "😍"},
        {"text": "x", "author": "Jonas", "username": "jonas"},
        {"text": "y", "from": "Anna Berg"},
    ]

    _, model, _ = await extract(given)

    assert lines(model.asked[0]) == [
        {"id": "c1", "author": "Mira Holt", "username": "mira.holt", "text": "Hi"},
        {"id": "c2", "username": "tomas", "text": "Line one\nline two"},
        {"id": "c3", "text": "😍"},
        {"id": "c4", "author": "Jonas", "username": "jonas", "text": "x"},
        {"id": "c5", "author": "Anna Berg", "text": "y"},
    ]


async def test_the_question_asks_for_json_by_schema():
    _, model, _ = await extract(comments(2))
    body = model.asked[0]

    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert body["response_format"]["json_schema"]["name"] == "contacts"
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["provider"] == {"require_parameters": True}
    assert (body["temperature"], body["max_tokens"]) == (0, 360)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"temperature": 0.7, "maxTokens": 1000}, {"temperature": 0.7, "max_tokens": 1000}),
        ({"temperature": None}, {"temperature": None}),
        ({"model": ["a/b:free", "c/d"]}, {"model": "a/b:free", "models": ["a/b:free", "c/d"]}),
    ],
)
async def test_settings_reach_the_model(config, expected):
    _, model, _ = await extract(comments(1), config={**PLAN, **config})

    assert {name: model.asked[0].get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("model", "operation"),
    [
        ("a/b:free", "openrouter/chat-free"),
        (["a/b:free", "c/d:free"], "openrouter/chat-free"),
        (["a/b:free", "c/d"], "openrouter/chat"),
        ("c/d", "openrouter/chat"),
    ],
)
async def test_free_models_are_asked_within_their_own_limits(model, operation):
    _, _, ctx = await extract(comments(1), config={**PLAN, "model": model})

    assert ctx.calls[0][0] == operation


async def test_batches_are_of_the_configured_size_and_ids_begin_anew():
    _, model, _ = await extract(comments(5), config={**PLAN, "batchSize": 2})

    assert model.ids == [["c1", "c2"], ["c1", "c2"], ["c1"]]


async def test_comments_that_say_nothing_are_not_asked_about():
    given = [{"id": "1", "text": ""}, {"id": "2", "text": "Name2"}, {"id": "3"}, {"id": "4", "text": None}]

    run, model, _ = await extract(given)

    assert model.ids == [["c2"]]
    assert names(run) == ["Name2"]

    run, model, _ = await extract([{"id": "1"}])
    assert (run.records, model.asked) == ([], [])


async def test_comments_that_do_not_meet_the_condition_are_neither_asked_about_nor_contacts():
    config = {**PLAN, "condition": {"field": "likes", "operator": "gt", "value": 1}}

    run, model, _ = await extract(
        [{"id": "1", "text": "A", "likes": 2}, {"id": "2", "text": "B", "likes": 0}], config=config
    )

    assert model.ids == [["c1"]]
    assert names(run) == ["A"]


async def test_a_condition_that_cannot_be_computed_fails_its_comment_alone():
    config = {**PLAN, "condition": {"field": "likes", "operator": "gt", "value": "{{1 / input.share}}"}}
    given = [{"id": "1", "text": "A", "likes": 2, "share": 1}, {"id": "2", "text": "B", "likes": 2, "share": 0}]

    run, model, _ = await extract(given, config=config)

    assert model.ids == [["c1"]]
    assert names(run) == ["A"]
    assert [(failed.position, failed.error.error_class) for failed in run.failed] == [(1, ErrorClass.VALIDATION)]


async def test_a_long_comment_is_cut():
    _, model, _ = await extract([{"text": "x" * 5000}], config={**PLAN, "maxCommentLength": 100})

    assert lines(model.asked[0])[0]["text"] == "x" * 100


@pytest.mark.parametrize(
    ("mapping", "seen"),
    [
        ({"comments": "{{input.comments}}"}, ["Name1", "Name2"]),
        ({"comments": "{{input.other}}"}, ["Name1", "Name2"]),
        ({"comments": "{{first(input.comments)}}"}, ["Name1", "Name2"]),
        ({"comments": [{"text": "{{input.comments[0].id}}"}, {"text": "b"}]}, ["x1", "b"]),
        ({}, ["Name1", "Name2"]),
    ],
)
async def test_the_mapping_says_where_comments_are(mapping, seen):
    _, model, _ = await extract(comments(2), config={**PLAN, "mapping": mapping})

    assert [line["text"] for line in lines(model.asked[0])] == seen


# --- when the model does not do as it is told


def without(*ids):
    return lambda body: said(contacts_for([item for item in lines(body) if item["id"] not in ids]))


def items_of(body, **changed):
    answer = orjson.loads(contacts_for(lines(body)))
    return {item["id"]: {**item, **changed.get(item["id"], {})} for item in answer["items"]}


@pytest.mark.parametrize(
    ("script", "asked"),
    [
        ([without("c2")], [["c1", "c2", "c3"], ["c2"]]),
        ([without("c1", "c3")], [["c1", "c2", "c3"], ["c1", "c3"]]),
        ([without("c2"), without("c2")], [["c1", "c2", "c3"], ["c2"], ["c2"]]),
        (["I am sorry."], [["c1", "c2", "c3"]] * 2),
        (['{"items": [{"id": "c1"'], [["c1", "c2", "c3"]] * 2),
        (['{"contacts": []}'], [["c1", "c2", "c3"]] * 2),
        (['"c1"'], [["c1", "c2", "c3"]] * 2),
        (
            [
                lambda body: said(
                    orjson.dumps({"items": list(items_of(body, c1={"contacts": "none"}).values())}).decode()
                )
            ],
            [["c1", "c2", "c3"], ["c1"]],
        ),
        (
            [
                lambda body: said(
                    orjson.dumps(
                        {
                            "items": [
                                *items_of(body).values(),
                                {"id": "c3", "contacts": []},
                                {"id": "c9", "contacts": []},
                            ]
                        }
                    ).decode()
                )
            ],
            [["c1", "c2", "c3"], ["c3"]],
        ),
        # fine as they are
        ([lambda body: said(f"```json\n{contacts_for(lines(body))}\n```")], [["c1", "c2", "c3"]]),
        ([lambda body: said(orjson.dumps(list(items_of(body).values())).decode())], [["c1", "c2", "c3"]]),
        (
            [lambda body: said(orjson.dumps({"items": [*items_of(body).values(), *items_of(body).values()]}).decode())],
            [["c1", "c2", "c3"]],
        ),
    ],
)
async def test_only_what_is_missing_is_asked_again(script, asked):
    run, model, _ = await extract(comments(3), *script)

    assert names(run) == ["Name1", "Name2", "Name3"]
    assert model.ids == asked
    assert run.failed == []


async def test_the_model_is_told_what_was_wrong():
    _, model, _ = await extract(comments(3), without("c2"))

    first, second = (body["messages"][-1]["content"] for body in model.asked)
    assert "previous answer" not in first
    assert "Your previous answer could not be used (c2: missing). Answer again" in second
    assert model.asked[1]["max_tokens"] < model.asked[0]["max_tokens"]


async def test_a_comment_without_usable_answer_fails_alone():
    run, model, _ = await extract(comments(3), without("c2"), without("c2"), without("c2"))

    assert names(run) == ["Name1", "Name3"]
    (failed,) = run.failed
    assert (failed.position, failed.error.error_class) == (1, ErrorClass.INVALID_RESPONSE)
    assert str(failed.error) == "the model gave no usable answer about it: c2: missing"
    assert len(model.asked) == 3


@pytest.mark.parametrize("empty", ["", "  \n", None])
async def test_an_empty_answer_is_asked_for_again_and_every_answer_is_paid(empty):
    run, model, ctx = await extract(comments(1), said(empty), said(empty))

    assert names(run) == ["Name1"]
    assert model.asked[0] == model.asked[1] == model.asked[2]
    assert [params.get("again") for _, params in ctx.calls] == [None, 1, 2]
    assert str(ctx.desk.charged) == "0.003"


async def test_an_answer_that_stays_empty_fails_its_comments():
    run, model, _ = await extract(comments(2), *[said("")] * 9)

    assert [failed.error.error_class for failed in run.failed] == [ErrorClass.INVALID_RESPONSE] * 2
    assert len(model.asked) == 9


async def test_an_answer_that_is_cut_off_gets_more_room_once():
    run, model, _ = await extract(comments(2), said('{"items": [{"id": "c1", "con', "length"))

    assert names(run) == ["Name1", "Name2"]
    assert [body["max_tokens"] for body in model.asked] == [360, 720]


async def test_an_answer_that_is_cut_off_twice_is_asked_for_in_halves():
    run, model, _ = await extract(comments(3), said("{", "length"), said("{", "length"))

    assert names(run) == ["Name1", "Name2", "Name3"]
    assert model.ids == [["c1", "c2", "c3"], ["c1", "c2", "c3"], ["c1"], ["c2", "c3"]]


POISON = "Name5"


def careful(body):
    """A model whose vendor stops at one text."""
    return poisoned(body, said("", "content_filter"))


def poisoned(body, refusal):
    items = lines(body)
    return refusal if any(item["text"] == POISON for item in items) else said(contacts_for(items))


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (said("half", "content_filter"), "a content filter of the model's vendor refused the text"),
        (reply({"error": {"code": 403, "metadata": {"reasons": ["violence"]}}}, 403), "a content filter"),
        (reply({"error": {"code": 400, "metadata": {"error_type": "context_length_exceeded"}}}, 400), "longer than"),
        (
            reply({"choices": [{"finish_reason": "stop", "message": {"content": None, "refusal": "No."}}]}),
            "the model declined to answer",
        ),
    ],
)
async def test_one_text_that_is_refused_does_not_take_the_others_with_it(refusal, told):
    run, model, _ = await extract(comments(50), *[lambda body: poisoned(body, refusal)] * 40)

    assert names(run) == [f"Name{number}" for number in range(1, 51) if number != 5]
    (failed,) = run.failed
    assert failed.position == 4
    assert told in str(failed.error)
    assert len(model.asked) <= 14


async def test_a_model_that_refuses_everything_is_not_asked_for_ever():
    run, model, _ = await extract(comments(50), *[said("", "content_filter")] * 99)

    assert len(run.failed) == 50
    assert len(model.asked) == 17


# --- errors of calls


async def test_a_first_call_that_fails_fails_the_batch():
    run, _, _ = await extract(comments(2), reply("", 500))

    assert [failed.error.error_class for failed in run.failed] == [ErrorClass.SERVER_ERROR] * 2


async def test_a_later_call_that_fails_keeps_what_there_is():
    run, _, _ = await extract(comments(3), without("c2"), reply("", 500))

    assert names(run) == ["Name1", "Name3"]
    assert [(failed.position, failed.error.error_class) for failed in run.failed] == [(1, ErrorClass.SERVER_ERROR)]


@pytest.mark.parametrize(("status", "error_class"), [(401, ErrorClass.AUTH), (402, ErrorClass.QUOTA)])
@pytest.mark.parametrize("before", [[], [without("c2")]])
async def test_no_key_and_no_credit_stop_the_node(status, error_class, before):
    with pytest.raises(CallError) as caught:
        await extract(comments(3), *before, reply("", status))
    assert caught.value.error_class is error_class


async def test_a_model_without_schemas_is_asked_without_and_from_then_on_too():
    no_schema = reply({"error": {"code": 404, "message": "No endpoints support response_format"}}, 404)
    model = Model(no_schema)

    run, _, _ = await extract(comments(4), config={**PLAN, "batchSize": 2}, model=model)

    assert names(run) == ["Name1", "Name2", "Name3", "Name4"]
    assert ["response_format" in body for body in model.asked] == [True, False, False]
    assert "provider" not in model.asked[1]


async def test_a_model_that_does_not_exist_stops_the_node():
    gone = reply({"error": {"code": 404, "message": "x", "metadata": {"error_type": "not_found"}}}, 404)

    with pytest.raises(NodeError, match=r"choose another config\.model") as caught:
        await extract(comments(1), gone, gone)
    assert caught.value.error_class is ErrorClass.NOT_FOUND


async def test_an_unknown_prompt_stops_the_node_before_anything_is_asked():
    config = {**PLAN, "promptTemplate": "extract-contacts-from-coments"}

    with pytest.raises(NodeError, match=r"Did you mean 'extract-contacts-from-comments'\?"):
        await extract(comments(1), config=config)


# --- sums


async def test_metadata_sums_up():
    ctx = context(Model(), elapsed_ms=1234)
    given = {"comments": comments(3), "metadata": {"totalComments": 3}}

    run = await run_block(ContactExtraction, PLAN, given, context=ctx)

    assert run.output["metadata"] == {
        "totalComments": 3,
        "totalContacts": 3,
        "modelUsed": "test/model",
        "processingTime": 1234,
    }


def test_what_comes_out_are_contacts():
    block = ContactExtraction(ContactExtraction.Config.model_validate(PLAN))

    assert block.output_collection("comments") == "contacts"


async def test_the_model_of_the_first_batch_is_named_whichever_answers_first():
    block = ContactExtraction(ContactExtraction.Config.model_validate({**PLAN, "batchSize": 1}))
    contexts = [
        context(Model(said(contacts_for([{"id": "c1", "text": "A"}]), model=f"model/{number}")), position=number)
        for number in range(3)
    ]
    for ctx in reversed(contexts):
        batch = comments(1)
        await block.process_batch(batch, ctx.at({"comments": batch}, ctx.position, {}, "comments"))

    assert (await block.close(contexts[0]))["metadata"]["modelUsed"] == "model/0"


async def test_where_nothing_was_asked_no_model_is_named():
    run, _, _ = await extract([])

    assert run.fields["metadata"] == {"totalContacts": 0, "processingTime": 0}


async def test_a_resume_asks_nothing_again():
    script = [without("c2"), said("")]
    _, _, first = await extract(comments(3), *script)
    second = context(lambda request: reply("", 500))
    second.desk.stored = first.desk.stored

    run, _, _ = await extract(comments(3), ctx=second)

    assert names(run) == ["Name1", "Name2", "Name3"]
    assert second.desk.sent == []


# --- configuration


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"model": ""}, "at least 1"),
        ({"model": []}, "at least 1"),
        ({"model": ["a/b", " "]}, "a model's name is empty"),
        ({"temperature": 3}, "less than or equal to 2"),
        ({"maxTokens": 5}, "greater than or equal to 16"),
        ({"batchSize": 500}, "less than or equal to 200"),
        ({"mapping": {"comment": "x"}}, "unknown key 'comment'. Did you mean 'comments'?"),
        ({"fieldMapping": {"a": "b"}}, "Extra inputs"),
    ],
)
def test_configuration_is_checked(config, told):
    with pytest.raises(ValidationError) as caught:
        ContactExtraction.Config.model_validate({**PLAN, **config})
    assert told in str(caught.value)


# --- at the simulator


async def test_contacts_of_the_sample_comments():
    simulator = Simulator(SimulatorSettings(latency_scale=0, limits={"openrouter": []}))
    ctx = context(desk=Desk(simulator=simulator))
    given = [
        {
            "id": "1",
            "text": "I work at Example Freight, write to me at lena.okafor@example.com",
            "from": {"name": "Lena Okafor"},
        },
        {"id": "2", "text": "Love it!", "from": {"username": "tomas.example"}},
        {"id": "3", "text": "Call me: +351 21 000 0000", "from": {"username": "jonas.berg"}},
    ]

    run, _, _ = await extract(given, ctx=ctx, config={**PLAN, "model": "openai/gpt-5-mini"})

    assert [(contact.get("firstName"), contact["sourceCommentId"]) for contact in run.records] == [
        ("Lena", "1"),
        ("Jonas", "3"),
    ]
    assert run.records[0]["email"] == "lena.okafor@example.com"
    assert f"{ctx.desk.charged.normalize():f}" == simulator.bill()["totals"]["charges"]["USD"]
