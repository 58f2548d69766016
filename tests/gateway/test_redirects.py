"""Redirects: which are followed, with what, and which are the answer."""

import pytest

from lumeflow.core.errors import AnswerLost, ForbiddenAddress, NotSent
from lumeflow.core.http import HttpRequest, HttpResponse
from lumeflow.gateway.redirects import next_request, send_following

HERE = "https://a.example.com/v1/p?x=1"
HEADERS = {
    "Authorization": "Bearer k",
    "X-API-Key": "k",
    "Accept": "application/json",
    "Cookie": "c=1",
    "Content-Type": "t",
}


def request(method="GET", url=HERE, **more):
    return HttpRequest(method, url, HEADERS, b"body" if method == "POST" else b"", redirects=5, **more)


def moved(location, status=302):
    return HttpResponse(status, {"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_followed_on_the_same_origin_with_its_headers(method, status):
    onward = next_request(request(method), moved("/v2/q", status))
    assert (onward.method, onward.url, onward.guarded) == (method, "https://a.example.com/v2/q", False)
    assert onward.headers == {name: value for name, value in HEADERS.items() if name != "Content-Type"}


@pytest.mark.parametrize(
    "location",
    [
        "https://b.example.com/",
        "https://A.b.example.com/",
        "https://a.example.com:8443/",
        "//b.example.com/x",
        "https://a.example.com.b.example.com/",
        "https://a.example.com@b.example.com/",
    ],
)
def test_another_origin_gets_no_key_and_is_guarded(location):
    onward = next_request(request(), moved(location))
    assert onward.headers == {"Accept": "application/json"}
    assert onward.guarded


def test_http_to_https_is_another_origin():
    onward = next_request(request(url="http://a.example.com/"), moved("https://a.example.com/"))
    assert onward.headers == {"Accept": "application/json"}


def test_default_ports_and_case_are_the_same_origin():
    onward = next_request(request(), moved("HTTPS://A.example.com:443/q#part"))
    assert onward.headers["Authorization"] == "Bearer k"
    assert "#" not in onward.url


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_what_changes_something_is_not_repeated(method, status):
    assert next_request(request(method), moved("/q", status)) is None


def test_a_post_that_was_done_may_point_at_its_result():
    onward = next_request(request("POST"), moved("/result", 303))
    assert (onward.method, onward.body, "Content-Type" in onward.headers) == ("GET", b"", False)


@pytest.mark.parametrize(
    "answer",
    [
        moved("http://a.example.com/"),
        moved("ftp://a.example.com/"),
        moved("file:///etc/passwd"),
        moved("javascript:alert(1)"),
        moved("http://[::1/"),
        moved("https://a.example.com:port/"),
        moved(""),
        HttpResponse(302),
        HttpResponse(300, {"location": "/q"}),
        HttpResponse(304, {"location": "/q"}),
        HttpResponse(200, {"location": "/q"}),
    ],
)
def test_what_is_not_followed(answer):
    assert next_request(request(), answer) is None


class Script:
    """Answers in turn; exceptions are raised."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    async def send(self, request, *, timeout):  # noqa: ASYNC109
        self.sent.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def follow(script, first=None):
    written = []
    response = await send_following(script, first or request(), seconds=5, on_write=lambda: written.append(1))
    assert written == [1]
    return response


async def test_hops_are_followed_to_the_answer():
    script = Script(moved("/2"), moved("https://b.example.com/3"), HttpResponse(200))
    assert (await follow(script)).status == 200
    assert [each.url for each in script.sent] == [HERE, "https://a.example.com/2", "https://b.example.com/3"]
    assert [each.guarded for each in script.sent] == [False, False, True]


async def test_a_way_back_does_not_bring_the_key_back():
    script = Script(moved("https://b.example.com/"), moved(HERE), HttpResponse(200))
    await follow(script)
    assert "Authorization" not in script.sent[2].headers
    assert script.sent[2].guarded


async def test_a_circle_ends_as_the_last_redirect():
    script = Script(moved(HERE))
    assert (await follow(script)).status == 302
    assert len(script.sent) == 6


async def test_no_redirects_are_followed_where_none_are_wanted():
    script = Script(moved("/2"))
    assert (await follow(script, HttpRequest("GET", HERE))).status == 302
    assert len(script.sent) == 1


async def test_a_hop_that_must_not_be_called_leaves_the_redirect_as_the_answer():
    assert (
        await follow(
            Script(moved("http://10.0.0.1/", 302), ForbiddenAddress("no")), request(url="http://a.example.com/")
        )
    ).status == 302


async def test_a_hop_that_cannot_be_sent_is_a_lost_answer_since_the_first_was_sent():
    with pytest.raises(AnswerLost, match="after a redirect"):
        await follow(Script(moved("/2"), NotSent("no connection")))
