"""Configuration that all blocks of generic HTTP share."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    PlainSerializer,
    field_validator,
    model_validator,
)

from lumeflow.kit.http.address import Address
from lumeflow.kit.http.auth import Auth, NoAuth, Part, credentials_of
from lumeflow.kit.http.sealing import Opened, opened
from lumeflow.kit.http.statuses import checked_statuses
from lumeflow.plugin import BlockConfig, ConditionField, PathField, Template, TemplateField, decimal_of

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
"""Methods whose `mapping` goes into the query."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SAFE_TO_REPEAT = READING | {"PUT", "DELETE"}
LARGEST_ANSWER = 10 * 2**20

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "trailer"})
_SECRET_NAME = re.compile(r"auth|token|secret|passw|pwd|api[-_]?key|access[-_]?key|^key$|credential|signature", re.I)


def _money(value: Any) -> Decimal:
    number = decimal_of(value)
    if number < 0:
        raise ValueError("expected a number that is not negative")
    return number


Money = Annotated[Decimal, BeforeValidator(_money), PlainSerializer(str)]


class Limit(Part):
    """At most `calls` in any `seconds`."""

    calls: int = Field(ge=1, description="Calls.")
    seconds: float = Field(gt=0, le=86_400 * 31, description="Length of the window.")


def _sealable(template: Template) -> Template:
    opened(template)
    return template


Value = Annotated[TemplateField, AfterValidator(_sealable)]
"""A template in which whole texts may be secrets."""


def _flat(template: Template) -> Template:
    if template.secrets and not isinstance(template.source, str):
        raise ValueError("a secret here must be a text of its own, such as {{secrets.crmKey}}")
    return template


FlatValue = Annotated[Value, AfterValidator(_flat)]
"""The same for places that hold texts only."""


class HttpConfig(BlockConfig):
    """What every request needs."""

    provider: Literal["http", "custom"] = Field(default="http", description="Any vendor; `custom` means the same.")
    url: TemplateField = Field(
        validation_alias=AliasChoices("url", "endpoint"),
        description="The address, with expressions: `https://api.example.com/people/{{input.id}}`. What they give is "
        "encoded. `endpoint` means the same.",
    )
    method: Method = Field(default="GET", description="The HTTP method.")
    auth: Auth = Field(default_factory=NoAuth, description="How the request shows who sends it.")
    query: Mapping[str, FlatValue] = Field(
        default_factory=dict,
        description="Query parameters; what is missing or empty is left out, a list repeats the name.",
    )
    headers: Mapping[str, FlatValue] = Field(default_factory=dict, description="Headers; empty ones are left out.")
    mapping: Mapping[str, Value] = Field(
        default_factory=dict,
        description="Names of the vendor's inputs and where to take them from: query parameters of GET, HEAD, OPTIONS "
        "and DELETE, else fields of the body. What is missing or empty is left out.",
    )
    body: Value | None = Field(default=None, description="The body: JSON with expressions, form fields, or a text.")
    body_type: Literal["json", "form", "text"] = Field(default="json", description="How the body is written.")
    answer_type: Literal["json", "text"] = Field(default="json", description="How the answer is read.")
    statuses: Mapping[str, list[int | str]] = Field(
        default_factory=dict,
        description="Meanings of statuses, where they differ from the usual: lists of statuses (404) or families "
        "(`4xx`) under success, notFound, auth, quota, rateLimit, serverError, timeout, validation.",
    )
    error_path: PathField | None = Field(
        default=None, description="Path into answers that say success although they are errors: something there is one."
    )
    cost_per_call: Money = Field(default=Decimal(0), description="USD that an answered call costs.")
    cost_not_found: Money = Field(default=Decimal(0), description="USD that an answer of 'not found' costs.")
    cost_path: PathField | None = Field(
        default=None, description="Path in the answer to what the call cost, in place of `costPerCall`."
    )
    cost_factor: Money = Field(default=Decimal(1), description="USD of one unit of what stands at `costPath`.")
    account: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Name of the account that limits and costs belong to; otherwise it is the host.",
    )
    rate_limit: list[Limit] = Field(
        default_factory=list,
        description='The vendor\'s limits, e.g. `[{"calls": 10, "seconds": 1}]`. Nodes with the same account and '
        "limits share them.",
    )
    concurrency: int = Field(default=16, ge=1, le=1000, description="Most calls in flight at once.")
    repeat: Literal["free", "booked", "never"] | None = Field(
        default=None,
        description="What is done when an answer was lost: `free` asks again, `booked` asks again and books the lost "
        "call, `never` fails and lists it as in doubt. Left out: GET and HEAD are asked again, PUT and DELETE too, and "
        "others only with `idempotencyHeader`.",
    )
    idempotency_header: str | None = Field(
        default=None, description="Header for a key by which the vendor tells a repeated call from a new one."
    )
    call_timeout: float = Field(default=30.0, gt=0, le=3600, description="Seconds to wait for an answer.")
    max_redirects: int = Field(default=5, ge=0, le=20, description="Most redirects to follow.")
    max_answer_bytes: int = Field(default=LARGEST_ANSWER, ge=1, le=64 * 2**20, description="Largest answer, in bytes.")
    example: Any = Field(
        default=None, description="Body of the vendor's answer, for demo mode; a text for `answerType` text."
    )
    response_path: PathField | None = Field(
        default=None, description="Path in the answer to what is wanted; left out, all of it is."
    )

    @field_validator("method", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: Template) -> Template:
        if not isinstance(value.source, str):
            raise ValueError("expected an address such as https://api.example.com/people/{{input.id}}")
        Address(value.source)
        return value

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, value: Mapping[str, Template]) -> Mapping[str, Template]:
        for name in value:
            _check_header(name)
        return value

    @field_validator("idempotency_header")
    @classmethod
    def _is_header(cls, value: str | None) -> str | None:
        if value is not None:
            _check_header(value)
        return value

    @field_validator("statuses")
    @classmethod
    def _are_statuses(cls, value: Mapping[str, list[int | str]]) -> Mapping[str, list[int | str]]:
        checked_statuses(value)
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "HttpConfig":
        if self.mapping and self.body is not None and self.method not in WITHOUT_BODY:
            raise ValueError("mapping and body are two ways to write the body: keep one of them")
        if self.body is not None and self.method in ("GET", "HEAD"):
            raise ValueError(f"a {self.method} request has no body: use query, or another method")
        if self.body_type == "form" and self.body is not None and not isinstance(self.body.source, dict):
            raise ValueError("the body of a form is an object of its fields")
        if self.address.host_from_records and self._has_secrets:
            raise ValueError(
                "records decide which host is called, and the request holds secrets: whoever wrote the record would "
                "get them. Write the host out, or take it from variables"
            )
        return self

    @cached_property
    def address(self) -> Address:
        """The address."""
        return Address(self.url.source)

    @cached_property
    def opened_body(self) -> Opened | None:
        """The body without its secrets."""
        return None if self.body is None else opened(self.body)

    @property
    def _has_secrets(self) -> bool:
        fields = (*self.query.values(), *self.headers.values(), *self.mapping.values(), self.body)
        return not isinstance(self.auth, NoAuth) or any(each is not None and each.secrets for each in fields)

    def cautions(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Places where a secret seems to be written out, and what to do about it."""
        for key, template in credentials_of(self.auth).items():
            if not template.secrets:
                yield ("auth", key), _WRITTEN_OUT
        for place in ("headers", "query", "mapping"):
            for name, template in getattr(self, place).items():
                if _SECRET_NAME.search(name) and isinstance(template.source, str) and template.is_constant:
                    yield (place, name), _WRITTEN_OUT
        if re.search(r"[?&][^=&]*(api[-_]?key|token|secret|passw)[^=&]*=[^&{]", self.url.source, re.I):
            yield ("url",), _WRITTEN_OUT


_WRITTEN_OUT = (
    "a secret seems to be written out here, where everybody who reads the workflow sees it: put it into "
    "LUMEFLOW_SECRET_name, and write {{secrets.name}}."
)


def _check_header(name: str) -> None:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"'{name}' is no name of a header")
    if name.lower() in _RESERVED:
        raise ValueError(f"the header '{name}' follows from the request and can't be set")


class EnrichingConfig(HttpConfig):
    """What blocks need besides that fill fields of records out of an answer."""

    condition: ConditionField | None = Field(
        default=None, description="Records that do not meet it pass through untouched and unpaid."
    )
    field_mapping: Mapping[str, PathField] = Field(
        default_factory=dict, description="What to take over: names of fields to set, and paths into the answer."
    )
    save_as: str | None = Field(default=None, min_length=1, description="Field that takes the answer as a whole.")
    overwrite: bool = Field(
        default=False, description="Replace values that a record already has; otherwise only gaps are filled."
    )
    limits: int | None = Field(
        default=None,
        ge=0,
        description="Only the first so many records are asked about; the others pass by unpaid.",
    )

    @model_validator(mode="after")
    def _takes_something(self) -> "EnrichingConfig":
        if not self.field_mapping and self.save_as is None:
            raise ValueError("nothing of the answer is taken over: set fieldMapping, saveAs, or both")
        return self
