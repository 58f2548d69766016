"""Step: web addresses."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.plugin import JsonObject


class NormalizeUrl(NormalizeStep):
    """`it.linkedin.com/in/mira-holt?trk=abc` becomes `https://www.linkedin.com/in/mira-holt`."""

    kind: Literal["url"] = Field(alias="as", description="Selects web addresses.")
    scheme: Literal["keep", "https"] = Field(
        default="keep", description="Whether http stays http. An address without a scheme gets https in any case."
    )
    tracking: Literal["remove", "keep"] = Field(
        default="remove",
        description="What becomes of parameters that only track visitors, such as utm_source and fbclid.",
    )
    wanted: ClassVar[str] = "a web address"

    def read(self, text: str, record: JsonObject) -> str | None:
        """The address in its form."""
        from lumeflow.kit.normalize.urls import web_address

        return web_address(text, keep_tracking=self.tracking == "keep", https=self.scheme == "https")
