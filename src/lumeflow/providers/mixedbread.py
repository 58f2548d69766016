"""Mixedbread: texts in, vectors out, paid by the token."""

import binascii
import sys
from array import array
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar

from lumeflow.kit.prices import MILLIONTH, charge_for, count_of, price_of
from lumeflow.kit.replies import (
    UNREADABLE,
    identifier,
    json_body,
    json_request,
    key_of,
    member,
    refusal,
    retry_after,
    unreadable,
)
from lumeflow.plugin import (
    Account,
    Answer,
    Basis,
    Charge,
    ErrorClass,
    Failure,
    HttpRequest,
    HttpResponse,
    Operation,
    Params,
    ProviderDefaults,
    RateLimit,
    Repeat,
    Verdict,
)

VENDOR = "Mixedbread"
PROVIDER = ProviderDefaults(
    name="mixedbread",
    base_url="https://api.mixedbread.com",
    key_name="MXBAI_API_KEY",
    # Third-party price collections, 2026: $0.10 per million tokens.
    prices={"token_million": Decimal("0.10")},
)

ORGANISATION = "mixedbread-ai/"
MOST_TEXTS = 256
FULL_SIZES: Mapping[str, int] = {"mixedbread-ai/mxbai-embed-large-v1": 1024}
"""Numbers in a vector, of the models for which this is known."""

_CHARACTERS_PER_TOKEN = 4


class Embeddings(Operation):
    """Embed texts.

    Params: `model` (with or without the organisation's name), `input` (1 to 256 texts), and, where wanted,
    `dimensions` and `prompt`. Value: one `array('f')` of unit length for each text, in the order of the texts.
    """

    id: ClassVar[str] = "mixedbread/embeddings"
    provider: ClassVar[str] = PROVIDER.name
    repeat: ClassVar[Repeat] = Repeat.BOOKED
    limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(1200, 60.0),)

    def build(self, params: Params, account: Account) -> HttpRequest:
        """`POST /v1/embeddings`, asking for base64: a third of the bytes and none of the parsing of JSON numbers."""
        body = {"model": _full_name(params["model"]), "input": params["input"]}
        body |= {name: params[name] for name in ("dimensions", "prompt") if params.get(name) is not None}
        body |= {"normalized": True, "encoding_format": "base64"}
        headers = {"Authorization": f"Bearer {key_of(account)}"}
        return json_request("POST", f"{account.base_url}/v1/embeddings", headers, body)

    def judge(self, params: Params, response: HttpResponse, account: Account) -> Verdict:
        """The vectors, checked for number and length, and the tokens' price."""
        body = json_body(response)
        if response.status != 200:
            return _failure(body, response, account)
        if body is UNREADABLE or not isinstance(body, dict):
            return unreadable(VENDOR, account, response, "no JSON object", paid=True)
        vectors = _vectors(body.get("data"), params)
        if isinstance(vectors, str):
            return unreadable(VENDOR, account, response, vectors, paid=True)
        return Answer(vectors, _charge(body, params, account))

    def expected(self, params: Params, account: Account) -> Decimal:
        """From the length of the texts, at four characters a token."""
        return _charge({}, params, account).amount


def _full_name(model: str) -> str:
    return model if "/" in model else ORGANISATION + model


def _charge(body: Mapping[str, Any], params: Params, account: Account) -> Charge:
    price = price_of(account, PROVIDER, "token_million") * MILLIONTH
    tokens = count_of(member(body, "usage", "total_tokens"))
    if tokens is not None:
        return charge_for(tokens, price)
    guessed = sum(len(text) // _CHARACTERS_PER_TOKEN + 1 for text in params["input"])
    return charge_for(guessed, price, basis=Basis.ASSUMED)


def _vectors(data: Any, params: Params) -> "list[array[float]] | str":
    """The vectors in the order of the texts, or what is wrong with them."""
    count = len(params["input"])
    if not isinstance(data, list) or len(data) != count:
        return f"expected {count} vectors, found {len(data) if isinstance(data, list) else 'none'}"
    placed: list[array[float] | None] = [None] * count
    for entry in data:
        index = count_of(member(entry, "index"))
        if index is None or index >= count or placed[index] is not None:
            return "the vectors' indexes do not match the texts"
        vector = _vector(entry.get("embedding"))
        if vector is None:
            return f"vector {index} cannot be decoded"
        placed[index] = vector
    vectors = [vector for vector in placed if vector is not None]
    wanted = params.get("dimensions") or FULL_SIZES.get(_full_name(params["model"])) or len(vectors[0])
    odd = next((len(vector) for vector in vectors if len(vector) != wanted), None)
    return vectors if odd is None else f"expected vectors of {wanted} numbers, found one of {odd}"


def _vector(value: Any) -> "array[float] | None":
    """Little-endian float32 in base64; a plain list too, should the asked encoding be ignored."""
    vector = array("f")
    try:
        if isinstance(value, str):
            vector.frombytes(binascii.a2b_base64(value, strict_mode=True))
            if sys.byteorder == "big":
                vector.byteswap()
        elif isinstance(value, list):
            vector.extend(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return vector if vector and isfinite(sum(vector)) else None


def _failure(body: Any, response: HttpResponse, account: Account) -> Failure:
    """An error in any of the four bodies that are documented or were seen."""
    code = identifier(member(body, "error", "type")) or identifier(member(body, "type"))
    wait = retry_after(response, member(body, "details", "retry_after"))
    if response.status in {400, 404, 422}:
        meaning = "Mixedbread refused the texts or the model; check config.model, config.dimensions and config.prompt"
        error_class = ErrorClass.NOT_FOUND if response.status == 404 else ErrorClass.VALIDATION
        return refusal(VENDOR, account, response, error_class=error_class, code=code, meaning=meaning)
    return refusal(VENDOR, account, response, code=code, wait=wait)
