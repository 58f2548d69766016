"""What statuses mean."""

import pytest

from lumeflow.kit.http.statuses import checked_statuses, meaning_of

SETTINGS = checked_statuses({"success": [202, "3xx"], "notFound": [422], "rateLimit": ["403"], "serverError": ["4XX"]})


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, "success"), (202, "success"), (204, "success"), (304, "success"), (404, "serverError"),
        (422, "notFound"), (403, "rateLimit"), (400, "serverError"), (500, None),
    ],
)  # fmt: skip
def test_a_status_goes_before_its_family_and_both_before_what_is_usual(status, meaning):
    assert meaning_of(status, SETTINGS) == meaning


@pytest.mark.parametrize(("status", "meaning"), [(200, "success"), (404, "notFound"), (410, "notFound"), (401, None)])
def test_the_usual(status, meaning):
    assert meaning_of(status, {}) == meaning


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ({"sucess": [200]}, "Did you mean 'success'"),
        ({"success": [99]}, "no status"),
        ({"success": ["2x"]}, "no status"),
        ({"success": ["abc"]}, "no status"),
        ({"success": [404], "notFound": ["404"]}, "means both"),
    ],
)
def test_settings_that_make_no_sense(statuses, reason):
    with pytest.raises(ValueError, match=reason):
        checked_statuses(statuses)
