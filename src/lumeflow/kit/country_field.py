"""A country as a configuration names it."""

from typing import Annotated

from pydantic import AfterValidator


def _code(country: str) -> str:
    from lumeflow.kit.normalize.countries import country_code

    code = country_code(country)
    if code is None:
        raise ValueError("expected a country, such as IT or Italy")
    return code


CountryField = Annotated[str, AfterValidator(_code)]
"""An ISO code or a name, which becomes the alpha-2 code."""
