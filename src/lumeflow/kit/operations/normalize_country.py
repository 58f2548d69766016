"""Step: countries to ISO 3166 codes."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.normalize.countries import country_code
from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.plugin import JsonObject


class NormalizeCountry(NormalizeStep):
    """`Italia`, `ITA` and `Italy (IT)` become `IT`."""

    kind: Literal["country"] = Field(alias="as", description="Selects countries.")
    wanted: ClassVar[str] = "a country"

    def read(self, text: str, record: JsonObject) -> str | None:
        """The alpha-2 code."""
        return country_code(text)
