"""States and territories of the USA as the post office abbreviates them."""

from collections.abc import Mapping

from lumeflow.kit.normalize.characters import fold

_NAMES = (
    "AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, "
    "DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, "
    "KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota, "
    "MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey, "
    "NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, "
    "PA Pennsylvania, RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, "
    "VT Vermont, VA Virginia, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, "
    "GU Guam, MP Northern Mariana Islands, PR Puerto Rico, VI Virgin Islands"
)
_ENTRIES = [entry.partition(" ") for entry in _NAMES.split(", ")]
_CODES: Mapping[str, str] = {
    **{code.lower(): code for code, _, _ in _ENTRIES},
    **{fold(name): code for code, _, name in _ENTRIES},
}


def us_state(text: str) -> str | None:
    """The two-letter code of a state, from its code or its name in English; None if it is none."""
    return _CODES.get(fold(text.replace(".", "")))
