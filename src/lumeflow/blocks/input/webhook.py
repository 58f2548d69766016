"""Input: a signed delivery of somebody else's system."""

import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lumeflow.kit.payload_input import PayloadInput
from lumeflow.kit.payloads import SplitPayload, json_type, split_payload
from lumeflow.kit.text import text_of
from lumeflow.kit.webhooks import (
    DELIVERY_HEADER,
    SIGNATURE_HEADER,
    SIGNED,
    TIMESTAMP_HEADER,
    TOLERANCE,
    Delivery,
    DeliveryRefused,
    Rules,
    body_of,
    media_type,
    verify,
)
from lumeflow.plugin import (
    Admission,
    BlockConfig,
    BlockContext,
    BlockType,
    ErrorClass,
    JsonObject,
    NodeError,
    PathField,
    Secret,
    Template,
    TemplateField,
    UsageError,
    derived_id,
)

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")]


def _only_secrets(template: Template) -> Template:
    if not template.secrets or any(reference.root != "secrets" for reference in template.references):
        raise ValueError("expected the name of a secret, such as {{secrets.shopWebhook}}, or a list of them")
    return template


class WebhookInputConfig(BlockConfig):
    """Configuration of `input/webhook`."""

    source: Literal["webhook"] = Field(description="Selects this block.")
    secret: Annotated[TemplateField, AfterValidator(_only_secrets)] = Field(
        description="What the sender signs with: `{{secrets.NAME}}`, or a list while an old secret is replaced."
    )
    signature_header: HeaderName = Field(default=SIGNATURE_HEADER, description="Header with the signature.")
    timestamp_header: HeaderName | None = Field(
        default=TIMESTAMP_HEADER, description="Header with the time of sending; null for a sender that signs none."
    )
    delivery_header: HeaderName = Field(
        default=DELIVERY_HEADER,
        description="Header with the delivery's id, the same when it is sent again; used if `signed` holds {id}.",
    )
    delivery_path: PathField | None = Field(
        default=None,
        description="Where in the body the delivery's id stands, for senders that sign a new time when they send "
        "again. Without any id, the signature takes its place.",
    )
    algorithm: Literal["sha256", "sha512"] = Field(default="sha256", description="Hash of the HMAC.")
    encoding: Literal["hex", "base64"] = Field(default="hex", description="How the signature is written.")
    signed: str = Field(
        default=SIGNED,
        description="What the sender signs: text with {timestamp}, {id} and {body}, such as v0:{timestamp}:{body}. If "
        "`timestampHeader` is null, {body}.",
    )
    tolerance: int = Field(
        default=TOLERANCE, ge=1, le=86_400, description="Seconds between sending and receiving, either way."
    )

    @model_validator(mode="after")
    def _signs_the_body(self) -> Self:
        if "{body}" not in self.rules.signed:
            raise ValueError("'signed' must hold {body}, or anybody could change the body")
        signs_time = "{timestamp}" in self.rules.signed
        if self.timestamp_header is None and signs_time:
            raise ValueError("'signed' holds {timestamp}, but 'timestampHeader' is null; set 'signed' to {body}")
        if self.timestamp_header is not None and not signs_time:
            raise ValueError(
                "'signed' must hold {timestamp}, or it could be changed; else set 'timestampHeader' to null"
            )
        return self

    @property
    def rules(self) -> Rules:
        """How deliveries must be signed."""
        bare = self.timestamp_header is None and "signed" not in self.model_fields_set
        return Rules(
            signature_header=self.signature_header,
            timestamp_header=self.timestamp_header,
            delivery_header=self.delivery_header,
            algorithm=self.algorithm,
            encoding=self.encoding,
            signed="{body}" if bare else self.signed,
            tolerance=self.tolerance,
        )


class WebhookInput(PayloadInput[WebhookInputConfig]):
    """Start a workflow with a delivery that another system sends: signed, fresh, and taken only once.

    Input: none; the execution's input holds the delivery as it was received: `headers` (an object), and `body` (the raw
        text) or `bodyBase64`.
    Output: the body, JSON or a form. Of an object the list of objects called `collection`, or the only one there is,
        holds the records; a body that is a list holds them itself, under `collection` or `records`.
    Errors: VALIDATION if the signature does not fit, is missing, or is older or newer than `tolerance` allows, or if
        the body is neither JSON nor a form. Refused deliveries start no execution. One that was accepted before starts
        none either: its execution's id follows from the delivery's, and is taken. In demo mode, where there are no
        secrets, nothing is verified and a delivery may be tried again and again.
    Cost: none.
    """

    type = BlockType.INPUT
    name = "webhook"
    when = ({"source": "webhook"},)
    Config = WebhookInputConfig
    example: ClassVar[Mapping[str, Any]] = {
        "source": "webhook",
        "secret": "{{secrets.shopWebhook}}",
        "collection": "contacts",
    }
    example_input: ClassVar[Mapping[str, Any]] = {
        "headers": {
            "content-type": "application/json",
            "x-lumeflow-timestamp": "1767960000",
            "x-lumeflow-signature": "sha256=a5901fb35e732a2b8d036034e6b1be62fe5ff9aecb14caaffbe407d26a9e48f0",
            "idempotency-key": "delivery-1",
        },
        "body": '{"shop": "example.com", "contacts": [{"firstName": "Mira", "email": "mira.holt@example.com"}]}',
    }

    def admit(self, admission: Admission) -> str | None:
        """Verify the delivery before anything is stored; the id is that of the one execution that it may start."""
        scope = {"secrets": {name: admission.secret(name) for name in self.config.secret.secrets}}
        delivery = self._verified(admission.trigger, _secrets(self.config.secret.render(scope)), admission.now)
        return derived_id(admission.workflow_id, admission.node_id, "delivery", self._identity(delivery))

    async def load(self, ctx: BlockContext, collection: str | None) -> SplitPayload:
        """Take the delivery apart, after it was verified."""
        try:
            if ctx.demo:
                headers, body = _parts(ctx.trigger)
                delivery = Delivery("", body, media_type({name.lower(): value for name, value in headers.items()}))
            else:
                delivery = self._verified(ctx.trigger, _secrets(ctx.render(self.config.secret)), ctx.now)
            return self._payload(body_of(delivery), collection)
        except UsageError as error:
            raise NodeError(ErrorClass.VALIDATION, f"the delivery was refused: {error}") from error

    def _verified(self, trigger: JsonObject, secrets: Sequence[Secret], now: datetime) -> Delivery:
        headers, body = _parts(trigger)
        return verify(self.config.rules, secrets, headers, body, now=now)

    def _identity(self, delivery: Delivery) -> str:
        if self.config.delivery_path is None:
            return delivery.id
        identity = text_of(self.config.delivery_path.get(body_of(delivery)))
        if not identity:
            raise DeliveryRefused(f"the body has no text or number at {self.config.delivery_path.source}")
        return f"body {identity}"

    def _payload(self, body: Any, collection: str | None) -> SplitPayload:
        if isinstance(body, list):
            name = collection or "records"
            return split_payload({name: body}, name)
        if not isinstance(body, dict):
            raise DeliveryRefused(f"the body must be an object or a list of objects; found {json_type(body)}")
        return split_payload(body, collection)


def _parts(trigger: JsonObject) -> tuple[Mapping[str, str], bytes]:
    """Headers and raw body of the execution's input."""
    headers = trigger.get("headers")
    if not isinstance(headers, Mapping) or not all(isinstance(value, str) for value in headers.values()):
        raise DeliveryRefused("the input of the execution must hold 'headers', an object of texts")
    text, coded = trigger.get("body"), trigger.get("bodyBase64")
    if isinstance(text, str) and coded is None:
        return headers, text.encode("utf-8", "surrogatepass")
    if isinstance(coded, str) and text is None:
        try:
            return headers, binascii.a2b_base64(coded, strict_mode=True)
        except ValueError:
            raise DeliveryRefused("'bodyBase64' in the input of the execution is not base64") from None
    raise DeliveryRefused(
        "the input of the execution must hold 'body', the raw body as a text, or 'bodyBase64'; a body that was parsed "
        "can't be verified"
    )


def _secrets(rendered: Any) -> list[Secret]:
    return [entry for entry in (rendered if isinstance(rendered, list) else [rendered]) if isinstance(entry, Secret)]
