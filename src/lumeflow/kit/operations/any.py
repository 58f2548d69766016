"""All kinds of steps, as a configuration names them."""

from typing import Annotated

from pydantic import Field

from lumeflow.kit.operations.calculate import CalculateStep
from lumeflow.kit.operations.drop import DropStep
from lumeflow.kit.operations.flatten import FlattenStep
from lumeflow.kit.operations.format import FormatStep
from lumeflow.kit.operations.map import MapStep
from lumeflow.kit.operations.normalize_country import NormalizeCountry
from lumeflow.kit.operations.normalize_date import NormalizeDate
from lumeflow.kit.operations.normalize_email import NormalizeEmail
from lumeflow.kit.operations.normalize_name import NormalizeName
from lumeflow.kit.operations.normalize_phone import NormalizePhone
from lumeflow.kit.operations.normalize_url import NormalizeUrl
from lumeflow.kit.operations.rename import RenameStep
from lumeflow.kit.operations.select import SelectStep
from lumeflow.kit.operations.split import SplitStep

AnyNormalizeStep = Annotated[
    NormalizePhone | NormalizeEmail | NormalizeDate | NormalizeName | NormalizeCountry | NormalizeUrl,
    Field(discriminator="kind"),
]
"""Told apart by `as`."""

AnyStep = Annotated[
    MapStep
    | RenameStep
    | CalculateStep
    | FormatStep
    | SelectStep
    | DropStep
    | FlattenStep
    | SplitStep
    | AnyNormalizeStep,
    Field(discriminator="type"),
]
"""Told apart by `type`."""
