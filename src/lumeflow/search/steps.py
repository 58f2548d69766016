"""The six steps. Each takes all that the one before has made, and is through before the next begins."""

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from lumeflow.core.clock import derived_id, iso
from lumeflow.core.errors import ErrorClass, NodeError, RecordError
from lumeflow.core.records import JsonObject, Skip
from lumeflow.kit.actor_runs import ActorRun
from lumeflow.kit.contacts import read_contacts
from lumeflow.kit.models.asking import Item, Survey
from lumeflow.kit.models.chat import ChatConfig, Desk
from lumeflow.kit.models.prompt_task import PromptTask
from lumeflow.kit.models.prompts import pinned_prompt
from lumeflow.kit.replies import identifier
from lumeflow.kit.social_comments import READERS
from lumeflow.kit.text import is_blank, text_of
from lumeflow.search.context import StepContext

T = TypeVar("T")

MODEL = "mistralai/mistral-7b-instruct:free"
PROMPT = "extract-contacts-from-comments"
ACTORS = {"facebook": "apify~facebook-comments-scraper", "instagram": "apify~instagram-comment-scraper"}
COMMENTS_PER_POST = {"facebook": 100, "instagram": 1000}
COMMENTS_IN_A_QUESTION = 50
CONTACTS_IN_A_BATCH = 10
TOKENS_FOR_A_COMMENT = 80
LONGEST_COMMENT = 4000
EMBEDDED = ("firstName", "lastName", "company", "title", "bio")
PACE = 500
"""Rows that are written at once."""

Made = JsonObject | Sequence[JsonObject] | Skip | RecordError
"""What becomes of one thing that a step takes."""


async def audience(ctx: StepContext) -> JsonObject:
    """The source audience that the input names; a resume works with the same.

    Raises:
        NodeError: It names none, there is none, or its platform is unknown.
    """
    wanted = ctx.trigger.get("sourceAudienceId") or ctx.trigger.get("id")
    if not isinstance(wanted, str):
        raise NodeError(ErrorClass.VALIDATION, 'the input must name the audience, as in {"sourceAudienceId": "…"}')

    async def read() -> Any:
        return await ctx.tables.find("source_audiences", {"id": wanted}, ["id", "name", "type", "urls"])

    rows = await ctx.remember("audience", read)
    if not rows:
        raise NodeError(ErrorClass.NOT_FOUND, f"table 'source_audiences' has no row with the id {wanted[:80]!r}")
    row: JsonObject = rows[0]
    if row["type"] not in READERS:
        raise NodeError(ErrorClass.VALIDATION, f"the audience's type must be one of {', '.join(READERS)}")
    if not row["urls"]:
        raise NodeError(ErrorClass.VALIDATION, "the audience has no addresses")
    return row


async def scrape(row: JsonObject, ctx: StepContext, enter: Callable[[], None]) -> list[Made]:
    """Step 1: the comments under all posts, in one run of the actor; `enter` counts each in, up to a limit."""
    platform: str = row["type"]
    urls = list(dict.fromkeys(url.strip() for url in row["urls"]))
    given: dict[str, Any] = {"resultsLimit": COMMENTS_PER_POST[platform], "includeNestedComments": False}
    if platform == "facebook":
        given["startUrls"] = [{"url": url} for url in urls]
    else:
        given["directUrls"] = urls
    run = await ActorRun.start({"actor": ACTORS[platform], "input": given}, ctx.as_block())
    comments: list[Made] = []
    async for item in run.items(ctx.as_block()):
        enter()
        comments.append(_comment(item, platform))
    await run.finish(ctx.as_block())
    return comments


class Extraction:
    """Step 2: the contacts in comments, fifty comments to a question."""

    def __init__(self) -> None:
        self._desk = Desk(ChatConfig(model=MODEL))
        self._prompt: Any = None

    async def open(self, ctx: StepContext) -> None:
        """Load the prompt before anything is paid for."""
        await self._desk.open()
        self._prompt = await pinned_prompt(ctx.as_block(), PROMPT)

    async def extract(self, comments: Sequence[JsonObject], ctx: StepContext) -> list[Made]:
        """The contacts of each comment."""
        lines = [_line(comment) for comment in comments]
        items = [Item(f"c{number}", line) for number, line in enumerate(lines, start=1) if line is not None]
        task = PromptTask(
            self._prompt,
            schema_name="contacts",
            lines_name="comments",
            read=read_contacts,
            tokens_each=TOKENS_FOR_A_COMMENT,
            max_tokens=None,
        )
        answers = await Survey(self._desk, task, ctx.as_block()).run(items)
        made: list[Made] = []
        for number, comment in enumerate(comments, start=1):
            error = answers.errors.get(f"c{number}")
            source = text_of(comment.get("id"))
            found = answers.values.get(f"c{number}", ())
            made.append(error or [{**one, "sourceCommentId": source} if source else one for one in found])
        return made


async def enrich(contact: JsonObject, ctx: StepContext) -> Made:
    """Step 3: what Apollo knows of a person."""
    names = {"email": "email", "firstName": "first_name", "lastName": "last_name"}
    params = {names[name]: text for name in names if (text := text_of(contact.get(name)))}
    if not params:
        return {**contact, "enriched": False}
    person = (await ctx.call("apollo/people-match", params)).value
    if person is None:
        return {**contact, "enriched": False}
    found = {
        "title": person.get("title"),
        "company": _first(person.get("employment_history")).get("organization_name"),
        "linkedin": person.get("linkedin_url"),
        "phone": _first(_object(person.get("contact")).get("phone_numbers")).get("raw_number"),
    }
    known = {name: value for name, value in found.items() if not is_blank(value) and is_blank(contact.get(name))}
    return {**contact, **known, "enriched": True, "enrichedAt": iso(ctx.now)}


async def find_email(contact: JsonObject, ctx: StepContext) -> Made:
    """Step 4: the address of a person who has none. Who then has no address or no name is left out."""
    first, last, company = (text_of(contact.get(name)) for name in ("firstName", "lastName", "company"))
    if is_blank(contact.get("email")) and first and last and company:
        params = {"first_name": first, "last_name": last, "company": company}
        found = (await ctx.call("hunter/email-finder", params)).value
        if found.get("optedOut"):
            return Skip("the person has asked not to have their data processed", forget=True)
        if found["email"] is not None:
            status = _object(found.get("verification")).get("status")
            values = {"email": found["email"], "emailScore": found.get("score"), "emailStatus": status}
            contact = {**contact, **{name: value for name, value in values.items() if not is_blank(value)}}
    if is_blank(contact.get("email")):
        return Skip("no e-mail address")
    if is_blank(contact.get("firstName")) and is_blank(contact.get("lastName")):
        return Skip("no name")
    return contact


async def embed(contacts: Sequence[JsonObject], ctx: StepContext) -> list[Made]:
    """Step 5: a vector for each contact, ten to a call."""
    texts = [" ".join(text for name in EMBEDDED if (text := text_of(contact.get(name)))) for contact in contacts]
    vectors = (await ctx.call("mixedbread/embeddings", {"model": "mxbai-embed-large-v1", "input": texts})).value
    return [{**contact, "embedding": vector} for contact, vector in zip(contacts, vectors, strict=True)]


async def store(contacts: Sequence[JsonObject], row: JsonObject, ctx: StepContext) -> dict[str, Any]:
    """Step 6: the contacts as a shared audience of their source; a resume writes the same rows again."""
    shared = derived_id(ctx.execution_id, ctx.node_id)
    rows = [_row(contact, shared, position) for position, contact in enumerate(contacts)]
    for start in range(0, len(rows), PACE):
        key = ("shared_audience_id", "position")
        await ctx.tables.upsert("shared_audience_contacts", rows[start : start + PACE], key=key)
    stored_at = iso(ctx.now)
    made = {
        "id": shared,
        "source_audience_id": row["id"],
        "status": "completed",
        "workflow_execution_id": ctx.execution_id,
        "contacts_count": len(rows),
        "created_at": stored_at,
        "stored_at": stored_at,
    }
    await ctx.tables.upsert("shared_audiences", [made], key=("id",))
    relation = {"source_audience_id": row["id"], "shared_audience_id": shared}
    await ctx.tables.upsert("audience_relations", [relation], key=tuple(relation))
    return {"sharedAudienceId": shared, "contactsCount": len(rows), "storedAt": stored_at}


async def all_of(work: Sequence[Callable[[], Awaitable[T]]], most: int = 50) -> list[T]:
    """The results of all, in their order; at most so many under way at once."""
    limit = asyncio.Semaphore(most)

    async def one(begin: Callable[[], Awaitable[T]]) -> T:
        async with limit:
            return await begin()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(begin)) for begin in work]
    return [task.result() for task in tasks]


def _comment(item: Any, platform: str) -> Made:
    if not isinstance(item, dict):
        return RecordError(ErrorClass.INVALID_RESPONSE, "Apify delivered something else than a comment")
    if item.get("error"):
        code = identifier(item["error"]) or "an error"
        return RecordError(ErrorClass.NOT_FOUND, f"Apify could not read a post: {code}")
    comment = READERS[platform](item)
    if "id" not in comment and "text" not in comment:
        return RecordError(ErrorClass.INVALID_RESPONSE, "Apify delivered an item with neither id nor text")
    return comment


def _line(comment: JsonObject) -> dict[str, str] | None:
    """What the model sees of a comment; None for one without text."""
    author = _object(comment.get("from"))
    text = text_of(comment.get("text"))[:LONGEST_COMMENT]
    values = (("author", text_of(author.get("name"))), ("username", text_of(author.get("username"))), ("text", text))
    return {name: value for name, value in values if value} if text else None


def _row(contact: JsonObject, shared: str, position: int) -> JsonObject:
    vector = contact.get("embedding")
    data = {name: value for name, value in contact.items() if name != "embedding"}
    embedding = vector if isinstance(vector, array) else None
    return {"shared_audience_id": shared, "position": position, "data": data, "embedding": embedding}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _first(value: Any) -> Mapping[str, Any]:
    return _object(value[0]) if isinstance(value, list) and value else {}
