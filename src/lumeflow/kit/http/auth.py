"""How a request shows who sends it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from lumeflow.kit.http.sealing import only_secrets
from lumeflow.plugin import BlockConfig, Template, TemplateField


def _credential(template: Template) -> Template:
    if not isinstance(template.source, str) or not template.source:
        raise ValueError("expected a text such as {{secrets.crmKey}}")
    if not only_secrets(template):
        raise ValueError("expected a secret such as {{secrets.crmKey}}, and nothing of a record in it")
    return template


Credential = Annotated[TemplateField, AfterValidator(_credential)]
"""A text with secrets, named as `{{secrets.NAME}}`."""


class Part(BaseModel):
    """Base of what stands inside a configuration."""

    model_config = BlockConfig.model_config


class NoAuth(Part):
    """The vendor asks for nothing."""

    type: Literal["none"] = Field(default="none", description="No auth.")


class BearerAuth(Part):
    """`Authorization: Bearer …`."""

    type: Literal["bearer"] = Field(description="This kind of auth.")
    token: Credential = Field(description="The token, e.g. `{{secrets.crmToken}}`.")


class ApiKeyAuth(Part):
    """A key in a header or in the query."""

    type: Literal["apiKey"] = Field(description="This kind of auth.")
    place: Literal["header", "query"] = Field(default="header", alias="in", description="Where the key goes.")
    name: str = Field(default="X-API-Key", min_length=1, description="Name of the header or parameter.")
    key: Credential = Field(description="The key, e.g. `{{secrets.crmKey}}`.")


class BasicAuth(Part):
    """User name and password."""

    type: Literal["basic"] = Field(description="This kind of auth.")
    username: Credential = Field(description="The user name, or the secret that holds it.")
    password: Credential = Field(description="The password, e.g. `{{secrets.crmPassword}}`.")


class OAuthAuth(Part):
    """OAuth 2 client credentials: a token is fetched, kept in memory, and renewed when it expires or is refused."""

    type: Literal["oauth2"] = Field(description="This kind of auth.")
    token_url: str = Field(pattern=r"^https?://[^/\s]+", description="Where tokens are given out.")
    client_id: Credential = Field(description="The client's id, or the secret that holds it.")
    client_secret: Credential = Field(description="The client's secret, e.g. `{{secrets.crmClientSecret}}`.")
    scope: str | None = Field(default=None, description="Scopes, with spaces between them.")
    parameters: Mapping[str, str] = Field(
        default_factory=dict, description="Further parameters of the token request, such as `audience`."
    )
    credentials: Literal["header", "body"] = Field(
        default="header", description="Whether id and secret go in the Authorization header or in the body."
    )


Auth = NoAuth | BearerAuth | ApiKeyAuth | BasicAuth | OAuthAuth


def credentials_of(auth: Auth) -> Mapping[str, Template]:
    """The texts of an auth that are secrets, by key in JSON."""
    match auth:
        case BearerAuth():
            return {"token": auth.token}
        case ApiKeyAuth():
            return {"key": auth.key}
        case BasicAuth():
            return {"password": auth.password}
        case OAuthAuth():
            return {"clientSecret": auth.client_secret}
        case _:
            return {}


def as_settings(auth: Auth) -> dict[str, Any]:
    """The auth as JSON, templates as they are written."""
    return auth.model_dump(mode="json", by_alias=True)
