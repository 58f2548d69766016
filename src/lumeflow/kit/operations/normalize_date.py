"""Step: dates to ISO 8601."""

from typing import ClassVar, Literal

from pydantic import Field

from lumeflow.kit.normalize.date_options import Numbers, Order
from lumeflow.kit.operations.normalize import NormalizeStep
from lumeflow.plugin import JsonObject


class NormalizeDate(NormalizeStep):
    """`9. Januar 2026, 14:30` becomes `2026-01-09T14:30:00`."""

    kind: Literal["date"] = Field(alias="as", description="Selects dates and times.")
    order: Order | None = Field(
        default=None,
        description="What comes first in dates of numbers alone. Without it only dates are read that leave no choice: "
        "25/12/2026, but not 09/01/2026.",
    )
    time: Literal["keep", "drop"] = Field(default="keep", description="What becomes of the time of day.")
    short_years: int = Field(
        default=68, ge=-1, le=99, description="Two-digit years up to this one are 20xx, those behind it 19xx."
    )
    numbers: Numbers = Field(
        default="timestamp",
        description="What a bare number is: Unix time in (milli-, micro-)seconds, or a spreadsheet's day.",
    )
    wanted: ClassVar[str] = "a date that can be read in one way"

    def read(self, text: str, record: JsonObject) -> str | None:
        """The date in ISO 8601."""
        from lumeflow.kit.normalize.dates import iso_date

        date_only = self.time == "drop"
        return iso_date(text, self.order, pivot=self.short_years, numbers=self.numbers, date_only=date_only)
