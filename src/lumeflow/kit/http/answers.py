"""From answers to records."""

from collections.abc import Mapping
from typing import Any

from lumeflow.kit.calling import filled, found_at
from lumeflow.kit.http.config import EnrichingConfig, HttpConfig
from lumeflow.plugin import MISSING, JsonObject


def content_of(config: HttpConfig, answer: Mapping[str, Any]) -> Any:
    """What is wanted of an answer; None if it is not there."""
    if not answer["found"] or config.response_path is None:
        return answer["body"]
    content = config.response_path.get(answer["body"])
    return None if content is MISSING else content


def enriched(config: EnrichingConfig, record: JsonObject, content: Any) -> JsonObject:
    """The record with what is taken over; itself if there is nothing."""
    if content is None:
        return record
    found = found_at(config.field_mapping, content)
    if config.save_as is not None:
        found[config.save_as] = content
    return filled(record, found, overwrite=config.overwrite)
