"""Output: calls of any HTTP API."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from lumeflow.kit.http.delivering import DeliveryBlock, DeliveryConfig
from lumeflow.plugin import BlockType


class ApiOutputConfig(DeliveryConfig):
    """Configuration of `output/api`."""

    destination: Literal["api"] = Field(description="Selects this block.")


class ApiOutput(DeliveryBlock[ApiOutputConfig]):
    """Send records to any HTTP API: one call for each, or one for many, with any method, address, headers and body.

    Input: any record; `url`, `query`, `headers`, `mapping` and `body` say what of it is sent, and without `mapping` and
        `body` all of it is. Vectors are sent as lists of numbers.
    Output: the records, and as the node's result `{recordsCount, deliveriesCount, deliveredAt}`. Each call is written
        down before and after it is made, and carries a key by which a receiver knows one that comes again. An execution
        that was killed makes at most those calls again that were under way, under the same keys. In demo mode nothing
        is sent.
    Errors: by status, in the usual meaning or in that of `statuses`; of a batch, for all its records. AUTH and QUOTA
        stop the node. Addresses that are not on the public internet are refused. A missing value in the address fails
        the record.
    Cost: `costPerCall` for each answer, or what stands in it at `costPath`; nothing by default.
    """

    type = BlockType.OUTPUT
    name = "api"
    when = ({"destination": "api"},)
    Config = ApiOutputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "api",
        "method": "PUT",
        "url": "https://crm.example.com/crm/v1/notes/{{input.email}}",
        "auth": {"type": "bearer", "token": "{{secrets.crmToken}}"},
        "body": {"name": "{{input.firstName}} {{input.lastName}}", "source": "spring campaign"},
        "rateLimit": [{"calls": 20, "seconds": 1}],
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "lastName": "Holt", "email": "mira.holt@example.com"}],
    }
