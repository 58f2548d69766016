"""Comments of two networks in one shape."""

import pytest

from lumeflow.kit.social_comments import facebook_comment, instagram_comment, nested_replies

FACEBOOK = {
    "facebookUrl": "https://www.facebook.com/examplebakery/posts/1",
    "commentUrl": "https://www.facebook.com/examplebakery/posts/1?comment_id=7",
    "commentId": "7",
    "id": "Y29tbWVudDox",
    "date": "2026-03-04T08:15:42.000Z",
    "text": "Do you deliver to Lisbon?",
    "profileUrl": "https://www.facebook.com/mira.holt.example",
    "profileName": "Mira Holt",
    "likesCount": "3",
    "comments": [],
}
INSTAGRAM = {
    "id": "17900000000000001",
    "postUrl": "https://www.instagram.com/p/CexampleA1b/",
    "commentUrl": "https://www.instagram.com/p/CexampleA1b/c/17900000000000001",
    "text": "Which size is this?",
    "ownerUsername": "tomas.example",
    "timestamp": "2026-03-05T19:02:11.000Z",
    "likesCount": 2,
    "owner": {"id": "1", "username": "tomas.example", "full_name": "Tomas Example"},
}


def test_a_facebook_comment():
    assert facebook_comment(FACEBOOK) == {
        "id": "Y29tbWVudDox",
        "text": "Do you deliver to Lisbon?",
        "from": {"username": "mira.holt.example", "name": "Mira Holt"},
        "timestamp": "2026-03-04T08:15:42.000Z",
        "url": "https://www.facebook.com/examplebakery/posts/1?comment_id=7",
        "likes": 3,
        "platform": "facebook",
    }


def test_an_instagram_comment():
    assert instagram_comment(INSTAGRAM) == {
        "id": "17900000000000001",
        "text": "Which size is this?",
        "from": {"username": "tomas.example", "name": "Tomas Example"},
        "timestamp": "2026-03-05T19:02:11.000Z",
        "url": "https://www.instagram.com/p/CexampleA1b/c/17900000000000001",
        "likes": 2,
        "platform": "instagram",
    }


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"likesCount": -1}, "likes", None),
        ({"likesCount": None}, "likes", None),
        ({"likesCount": "0"}, "likes", 0),
        ({"likesCount": "many"}, "likes", None),
        ({"timestamp": None}, "timestamp", None),
        ({"timestamp": "yesterday"}, "timestamp", None),
        ({"timestamp": 1772798460}, "timestamp", None),
        ({"timestamp": "2026-03-05T20:02:11+01:00"}, "timestamp", "2026-03-05T19:02:11.000Z"),
        ({"timestamp": "2026-03-05T19:02:11"}, "timestamp", "2026-03-05T19:02:11.000Z"),
        ({"timestamp": "0001-01-01T00:00:00+23:00"}, "timestamp", None),
        ({"text": ""}, "text", None),
        ({"text": None}, "text", None),
        ({"id": 17}, "id", "17"),
        ({"id": None}, "id", None),
        ({"ownerUsername": None, "owner": None}, "from", None),
        ({"owner": {"full_name": None}}, "from", {"username": "tomas.example"}),
        ({"ownerUsername": None, "owner": {"username": "tomas"}}, "from", {"username": "tomas"}),
        ({"commentUrl": None}, "url", "https://www.instagram.com/p/CexampleA1b/"),
    ],
)
def test_what_is_not_known_is_absent(changes, field, value):
    comment = instagram_comment({**INSTAGRAM, **changes})

    assert comment.get(field) == value
    assert (field in comment) == (value is not None)


@pytest.mark.parametrize(
    ("profile", "username"),
    [
        ("https://www.facebook.com/mira.holt.example", "mira.holt.example"),
        ("https://www.facebook.com/mira.holt.example/?ref=1", "mira.holt.example"),
        ("https://www.facebook.com/profile.php?id=100", None),
        ("https://www.facebook.com/people/Mira/100", None),
        ("https://www.facebook.com/pfbid0aBcDeF", None),
        ("https://www.facebook.com/1000001", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_the_name_in_a_facebook_profile(profile, username):
    author = facebook_comment({**FACEBOOK, "profileUrl": profile})["from"]

    assert author.get("username") == username


def test_an_empty_item_is_next_to_nothing():
    assert facebook_comment({}) == {"platform": "facebook"}
    assert instagram_comment({}) == {"platform": "instagram"}


def test_replies_come_parents_first():
    item = {"id": "1", "replies": [{"id": "2", "replies": [{"id": "3", "replies": None}]}, "odd", {"id": "4"}]}

    assert [reply["id"] for reply in nested_replies(item)] == ["2", "4", "3"]
