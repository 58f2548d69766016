"""Step: names of people."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.plugin import JsonObject


class NormalizeName(NormalizeStep):
    """`DR. MARIA-JOSÉ VAN DER BERG` becomes `Dr. Maria-José van der Berg`."""

    kind: Literal["name"] = Field(alias="as", description="Selects names of people, whole ones or parts.")
    titles: Literal["keep", "remove"] = Field(
        default="keep", description="What becomes of titles and degrees: Dr., Prof., PhD. Jr. and III always stay."
    )
    wanted: ClassVar[str] = "a name"

    def read(self, text: str, record: JsonObject) -> str | None:
        """The name as it is written."""
        from lumeflow.kit.normalize.names import person_name

        return person_name(text, drop_titles=self.titles == "remove")
