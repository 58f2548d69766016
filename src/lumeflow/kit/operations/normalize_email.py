"""Step: e-mail addresses."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.normalize.emails import email_address
from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.plugin import JsonObject


class NormalizeEmail(NormalizeStep):
    """`Mira Holt <Mira@Example.COM>` becomes `Mira@example.com`."""

    kind: Literal["email"] = Field(alias="as", description="Selects e-mail addresses.")
    case: Literal["domain", "all"] = Field(
        default="domain",
        description="What is written in small letters: the domain, or what stands before the @ as well.",
    )
    plus_tags: Literal["keep", "remove"] = Field(
        default="keep", description="Whether `mira+news@example.com` stays, or becomes `mira@example.com`."
    )
    wanted: ClassVar[str] = "an e-mail address"

    def read(self, text: str, record: JsonObject) -> str | None:
        """The address alone."""
        return email_address(text, all_lower=self.case == "all", drop_tag=self.plus_tags == "remove")
