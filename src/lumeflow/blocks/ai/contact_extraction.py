"""`ai/contact-extraction`: the people in comments who can be contacted, found by a language model."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import CallBlock
from lumeflow.kit.contacts import Contact, read_contacts
from lumeflow.kit.models.asking import Answers, Item, Survey
from lumeflow.kit.models.chat import ALL_OPERATIONS, ChatConfig, Desk
from lumeflow.kit.models.prompt_task import PromptTask
from lumeflow.kit.models.prompts import pinned_prompt
from lumeflow.kit.models.tasks import task_discriminators
from lumeflow.kit.text import text_of
from lumeflow.plugin import BlockContext, BlockType, JsonObject, RecordError

PROMPT = "extract-contacts-from-comments"
SCHEMA_NAME = "contacts"

TOKENS_FOR_A_COMMENT = 80


class ContactExtractionConfig(ChatConfig):
    """Configuration of `ai/contact-extraction`."""

    mapping_keys: ClassVar[tuple[str, ...]] = ("comments",)

    operation: Literal["contact-extraction"] = Field(default="contact-extraction", description="What to do.")
    prompt_template: str = Field(default=PROMPT, description="The prompt: `name` for the newest, or `name@version`.")
    batch_size: int | None = Field(default=50, ge=1, le=200, description="Comments in one question.")
    max_comment_length: int = Field(default=4000, ge=100, description="Characters of a comment that the model sees.")


class ContactExtraction(CallBlock[ContactExtractionConfig]):
    """Extract the contacts that comments hold.

    Input: comments as the scraper delivers them: `text`, `from` ({username, name}), `id`; or other records that
    `mapping.comments` turns into such (a list as long as the batch).
    Output: `contacts`, each with those of firstName, lastName, email, phone, company that are known, `confidence` (0 to
    1) and `sourceCommentId`; none, one or several for each comment. `metadata`: totalContacts, modelUsed,
    processingTime (ms). Comments without text, or that do not meet `condition`, are not asked about.
    Errors: a comment about which the model gives no usable answer, even when asked again, is one failed record. An
    unknown prompt or model, a model without known price, a bad key, or no credit stop the node.
    Cost: for each question of `batchSize` comments what OpenRouter reports (nothing for models that end in `:free`), or
    at OpenAI and Anthropic its tokens times the model's price.
    """

    type = BlockType.AI
    name = "contact-extraction"
    when = task_discriminators("contact-extraction", PROMPT)
    Config = ContactExtractionConfig
    operations = ALL_OPERATIONS
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "openrouter",
        "model": "mistralai/mistral-7b-instruct:free",
        "promptTemplate": PROMPT,
        "batchSize": 50,
        "mapping": {"comments": "{{input.comments}}"},
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "comments": [
            {
                "id": "c-1",
                "text": "I work at Example Freight, write to me at lena.okafor@example.com",
                "from": {"name": "Lena Okafor", "username": "lena.okafor"},
            },
            {"id": "c-2", "text": "Love it!", "from": {"username": "tomas.example"}},
        ]
    }

    def __init__(self, config: ContactExtractionConfig) -> None:
        super().__init__(config)
        self._desk = Desk(config)
        self._prompt: Any = None
        self._contacts = 0
        self._model: tuple[int, str] | None = None

    def applies(self, record: JsonObject, ctx: BlockContext) -> bool:
        """True: a comment that does not meet the condition must not stand among the contacts either."""
        return True

    def output_collection(self, incoming: str | None) -> str | None:
        """`contacts`."""
        return "contacts"

    async def open(self, ctx: BlockContext) -> Mapping[str, Any]:
        """See that the prompt is there before anything is paid for."""
        await self._desk.open()
        self._prompt = await pinned_prompt(ctx, self.config.prompt_template)
        return {}

    async def process_batch(
        self, records: Sequence[JsonObject], ctx: BlockContext
    ) -> list[Sequence[JsonObject] | RecordError]:
        """Ask about the comments that say something; a list of contacts for each comment."""
        comments = self._comments(records, ctx)
        items: list[Item] = []
        undecided: dict[str, RecordError] = {}
        for number, comment in enumerate(comments, start=1):
            line = _line(comment, self.config.max_comment_length)
            try:
                if line is not None and super().applies(comment, ctx):
                    items.append(Item(f"c{number}", line))
            except RecordError as error:
                undecided[f"c{number}"] = error
        answers = await Survey(self._desk, self._task(ctx), ctx).run(items)
        answers.errors.update(undecided)
        self._note(answers, ctx.position)
        return [self._outcome(f"c{number}", comment, answers) for number, comment in enumerate(comments, start=1)]

    async def close(self, ctx: BlockContext) -> Mapping[str, Any]:
        """Sum up. Of several models that answered, the one of the first batch is named."""
        metadata: dict[str, Any] = {"totalContacts": self._contacts, "processingTime": ctx.elapsed_ms}
        if self._model is not None:
            metadata["modelUsed"] = self._model[1]
        return {"metadata": metadata}

    def _task(self, ctx: BlockContext) -> PromptTask[list[Contact]]:
        return PromptTask(
            self._prompt or ctx.prompts.load(self.config.prompt_template),
            schema_name=SCHEMA_NAME,
            lines_name="comments",
            read=read_contacts,
            tokens_each=TOKENS_FOR_A_COMMENT,
            max_tokens=self.config.max_tokens,
        )

    def _comments(self, records: Sequence[JsonObject], ctx: BlockContext) -> Sequence[Any]:
        template = self.config.mapping.get("comments")
        mapped = ctx.render(template) if template is not None else None
        return mapped if isinstance(mapped, list) and len(mapped) == len(records) else records

    def _outcome(
        self, item_id: str, comment: Any, answers: "Answers[list[Contact]]"
    ) -> Sequence[JsonObject] | RecordError:
        if item_id in answers.errors:
            return answers.errors[item_id]
        contacts = answers.values.get(item_id, [])
        self._contacts += len(contacts)
        source = text_of(comment.get("id")) if isinstance(comment, Mapping) else ""
        return [{**contact, "sourceCommentId": source} for contact in contacts] if source else contacts

    def _note(self, answers: "Answers[list[Contact]]", position: int) -> None:
        if answers.model and (self._model is None or position < self._model[0]):
            self._model = position, answers.model


def _line(comment: Any, most: int) -> dict[str, str] | None:
    """What the model sees of a comment; None for one without text, which can hold no contact."""
    if not isinstance(comment, Mapping):
        return None
    author = comment.get("from")
    person = author if isinstance(author, Mapping) else comment
    text = text_of(comment.get("text"))[:most]
    values = (
        ("author", text_of(person.get("name")) or text_of(author) or text_of(comment.get("author"))),
        ("username", text_of(person.get("username"))),
        ("text", text),
    )
    return {name: value for name, value in values if value} if text else None
