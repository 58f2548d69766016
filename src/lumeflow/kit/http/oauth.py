"""OAuth 2 client credentials (RFC 6749): asking for a token, and reading what comes."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lumeflow.kit.http.sealing import Unsealing
from lumeflow.kit.http.writing import CONTENT_TYPES, basic
from lumeflow.kit.replies import class_of, identifier, json_object, member, retry_after, seconds
from lumeflow.plugin import ErrorClass, Failure, HttpRequest, HttpResponse, Secret, Token

_LARGEST = 2**20


def token_request(auth: Mapping[str, Any], url: str, unsealing: Unsealing) -> HttpRequest:
    """The request for a token, by the settings of an `OAuthAuth`."""
    client, secret = unsealing.text(auth["clientId"]), unsealing.text(auth["clientSecret"])
    form = {"grant_type": "client_credentials", **auth["parameters"]}
    headers = {"Accept": "application/json", "Content-Type": CONTENT_TYPES["form"]}
    if auth.get("scope"):
        form["scope"] = auth["scope"]
    if auth["credentials"] == "header":
        headers["Authorization"] = basic(quote(client, safe=""), quote(secret, safe=""))
    else:
        form |= {"client_id": client, "client_secret": secret}
    unsealing.used.append(Secret(headers.get("Authorization", "").removeprefix("Basic ")))
    body = urlencode(form).encode()
    return HttpRequest("POST", url, headers, body, largest=_LARGEST, secrets=tuple(unsealing.used))


def read_token(response: HttpResponse) -> Token | Failure:
    """Read the answer of a token endpoint (RFC 6749); what it says of an error is a code, never more."""
    body = json_object(response)
    code = identifier(member(body, "error"))
    why = f" ({code})" if code else ""
    if response.status == 200:
        token = member(body, "access_token")
        if isinstance(token, str) and token.isprintable() and token:
            return Token(Secret(token), seconds(member(body, "expires_in")))
        return Failure(ErrorClass.INVALID_RESPONSE, f"the token endpoint's answer has no access_token{why}")
    if response.status in (400, 401, 403):
        return Failure(
            ErrorClass.AUTH,
            f"the token endpoint does not accept the client{why}; check clientId, clientSecret and scope",
            retryable=False,
        )
    error_class = class_of(response.status)
    return Failure(error_class, f"the token endpoint gave no token{why}", retry_after(response))
