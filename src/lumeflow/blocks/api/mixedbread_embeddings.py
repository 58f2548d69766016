"""`api/mixedbread-embeddings`: a vector for each record, for semantic search."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.calling import CallBlock, CallConfig
from lumeflow.kit.text import text_of
from lumeflow.plugin import MISSING, BlockContext, BlockType, JsonObject, PathField

OPERATION = "mixedbread/embeddings"

LONGEST_TEXT = 64_000
"""Characters that the vendor takes; the model itself reads only the first 512 tokens."""


class MixedbreadConfig(CallConfig):
    """Configuration of `api/mixedbread-embeddings`."""

    mapping_keys: ClassVar[tuple[str, ...]] = ()
    endpoints: ClassVar[tuple[str, ...]] = ("/v1/embeddings",)
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    batches: ClassVar[bool] = True

    provider: Literal["mixedbread"] = Field(default="mixedbread", description="The vendor.")
    model: str = Field(
        default="mxbai-embed-large-v1", min_length=1, max_length=500, description="The model; short or full name."
    )
    fields: tuple[PathField, ...] = Field(min_length=1, description="What to embed: paths into the record, in order.")
    output_field: str = Field(default="embedding", min_length=1, description="Where the vector goes.")
    separator: str = Field(default=" ", description="What stands between the fields in the embedded text.")
    dimensions: int | None = Field(default=None, ge=1, description="Shorten the vectors to so many numbers.")
    prompt: str | None = Field(
        default=None, max_length=32_000, description="Instruction for the model; for queries, not for documents."
    )
    batch_size: int | None = Field(default=100, ge=1, le=256, description="Records in one call.")


class MixedbreadEmbeddings(CallBlock[MixedbreadConfig]):
    """Embed each record's text.

    Input: records.
    Output: the same records, each with a vector of unit length (float32, 1,024 numbers for the default model) in
    `outputField`. A record without any text in `fields` passes through without vector.
    Errors: a refused model or text fails the batch; a bad key or used-up credit stops the node.
    Cost: tokens times the configured price ($0.10 a million by default); a record of 25 tokens costs $0.0000025.
    """

    type = BlockType.API
    name = "mixedbread-embeddings"
    when = ({"provider": "mixedbread"},)
    Config = MixedbreadConfig
    operations = (OPERATION,)
    example: ClassVar[Mapping[str, Any]] = {
        "provider": "mixedbread",
        "model": "mxbai-embed-large-v1",
        "batchSize": 10,
        "fields": ["firstName", "lastName", "company", "title"],
        "outputField": "embedding",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Lena", "lastName": "Okafor", "company": "Example Freight"}]
    }

    async def process_batch(self, records: Sequence[JsonObject], ctx: BlockContext) -> list[JsonObject]:
        """Embed the records that have a text, in one call."""
        texts = [self._text(record) for record in records]
        asked = [index for index, text in enumerate(texts) if text]
        if not asked:
            return list(records)
        params: dict[str, Any] = {"model": self.config.model, "input": [texts[index] for index in asked]}
        if self.config.dimensions is not None:
            params["dimensions"] = self.config.dimensions
        if self.config.prompt is not None:
            params["prompt"] = self.config.prompt
        vectors = (await ctx.call(OPERATION, params)).value
        results = list(records)
        for index, vector in zip(asked, vectors, strict=True):
            results[index] = {**records[index], self.config.output_field: vector}
        return results

    def _text(self, record: JsonObject) -> str:
        values = (path.get(record) for path in self.config.fields)
        texts = (_written(value) for value in values if value is not MISSING)
        return self.config.separator.join(text for text in texts if text)[:LONGEST_TEXT]


def _written(value: Any) -> str:
    """A text, a number, or a list of such; anything else says nothing."""
    if isinstance(value, list):
        return ", ".join(text for text in map(text_of, value) if text)
    return text_of(value)
