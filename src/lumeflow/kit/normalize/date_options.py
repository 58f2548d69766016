"""What has to be said of dates before they can be read."""

from typing import Literal

Order = Literal["dayFirst", "monthFirst", "yearFirst"]
Numbers = Literal["timestamp", "excel"]
