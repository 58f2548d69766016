"""Output: signed webhooks."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lumeflow.kit.http.auth import Credential
from lumeflow.kit.http.delivering import DeliveryBlock, DeliveryConfig
from lumeflow.kit.webhooks import SIGNATURE_HEADER, SIGNED, TIMESTAMP_HEADER
from lumeflow.plugin import BlockType


class WebhookOutputConfig(DeliveryConfig):
    """Configuration of `output/webhook`."""

    default_body: ClassVar[Any] = {
        "workflowId": "{{workflow.id}}",
        "executionId": "{{execution.id}}",
        "data": "{{input}}",
    }

    destination: Literal["webhook"] = Field(description="Selects this block.")
    method: Literal["POST", "PUT", "PATCH"] = Field(default="POST", description="The HTTP method.")
    secret: Credential | None = Field(
        default=None, description="What deliveries are signed with, `{{secrets.NAME}}`; null leaves them unsigned."
    )
    signature_header: str = Field(default=SIGNATURE_HEADER, description="Header for the signature, `sha256=…`.")
    timestamp_header: str = Field(
        default=TIMESTAMP_HEADER, description="Header for the time of sending, in seconds since 1970."
    )
    algorithm: Literal["sha256", "sha512"] = Field(default="sha256", description="Hash of the HMAC.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    signed: str = Field(
        default=SIGNED, description="What is signed: text with {timestamp}, {id} (the delivery's key) and {body}."
    )

    @model_validator(mode="after")
    def _signs_a_secret(self) -> Self:
        if self.secret is not None and not self.secret.secrets:
            raise ValueError("secret: expected the name of a secret, such as {{secrets.crmWebhook}}")
        if self.secret is not None and "{body}" not in self.signed:
            raise ValueError("'signed' must hold {body}, or anybody could change the body")
        if "{id}" in self.signed and self.secret is not None and self.idempotency_header is None:
            raise ValueError("'signed' holds {id}, but 'idempotencyHeader' is null; set 'signed' to {timestamp}.{body}")
        return self


class WebhookOutput(DeliveryBlock[WebhookOutputConfig]):
    """Send records to somebody else's system as signed deliveries: one each, or some together.

    Input: any record. A delivery is `{"workflowId", "executionId", "data"}`, where `data` is the record, or with
        `batchSize` the payload with the batch's records; or what `body` or `mapping` says. Vectors are sent as lists.
    Output: the records, and as the node's result `{recordsCount, deliveriesCount, deliveredAt}`. Each delivery is
        written down before and after it is sent. `Idempotency-Key` is its key: the same whenever it comes again, after
        every retry and every resume. `X-Lumeflow-Signature` is `sha256=` and the HMAC-SHA256, in hexadecimal digits, of
        the value of `X-Lumeflow-Timestamp`, a dot, the key, a dot, and the raw body; `input/webhook` verifies it. The
        secret is written down nowhere. In demo mode nothing is sent.
    Errors: by status, in the usual meaning or in that of `statuses`; of a batch, for all its records. AUTH stops the
        node. Addresses that are not on the public internet are refused.
    Cost: none, unless `costPerCall` says so.
    """

    type = BlockType.OUTPUT
    name = "webhook"
    when = ({"destination": "webhook"},)
    Config = WebhookOutputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "destination": "webhook",
        "url": "https://hooks.example.com/webhooks/leads",
        "secret": "{{secrets.leadsWebhook}}",
        "batchSize": 50,
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "contacts": [{"firstName": "Mira", "email": "mira.holt@example.com"}, {"firstName": "Tomás"}],
    }

    def more_settings(self) -> Mapping[str, Any]:
        """How deliveries are signed."""
        config = self.config
        if config.secret is None:
            return super().more_settings()
        signing = {
            "secret": config.secret.source,
            "signatureHeader": config.signature_header,
            "timestampHeader": config.timestamp_header,
            "deliveryHeader": config.idempotency_header,
            "algorithm": config.algorithm,
            "encoding": config.encoding,
            "signed": config.signed,
        }
        return {**super().more_settings(), "signing": signing}
