"""Step: phone numbers to E.164."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.country_field import CountryField
from lumeflow.kit.normalize.countries import country_code
from lumeflow.kit.normalize.phones import phone_e164
from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.kit.text import text_of
from lumeflow.plugin import JsonObject, Path, PathField


class NormalizePhone(NormalizeStep):
    """`(02) 5550 1234` becomes `+390255501234`."""

    kind: Literal["phone"] = Field(alias="as", description="Selects phone numbers.")
    country: CountryField | None = Field(
        default=None,
        description="Country of numbers without a calling code, where the record has none: ISO code or name. Without a "
        "country only numbers with their calling code can be read.",
    )
    country_field: PathField | None = Field(
        default=None, description="Field that holds the record's own country, as ISO code or name."
    )
    check: Literal["valid", "possible"] = Field(
        default="valid",
        description="`valid`: the number is in a range in use in its country. `possible`: its length is right.",
    )
    wanted: ClassVar[str] = "a phone number"

    def read(self, text: str, record: JsonObject) -> str | None:
        """E.164 of the number."""
        country = self.country if self.country_field is None else self._own_country(record, self.country_field)
        return phone_e164(text, country, possible=self.check == "possible")

    def _own_country(self, record: JsonObject, field: Path) -> str | None:
        return country_code(text_of(field.get(record))) or self.country
