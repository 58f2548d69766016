"""Mixedbread: embeddings of 1,024 numbers that follow from the text."""

import hashlib
import struct
from array import array
from base64 import b64encode
from collections.abc import Callable, Mapping
from math import ceil, sqrt
from sys import byteorder
from typing import Any

import orjson

from lumeflow.core.money import ZERO
from lumeflow.simulator.exchange import Call, Cost, RefusedError, Reply, json_reply
from lumeflow.simulator.limits import Limit, Refusal
from lumeflow.simulator.vendor import Endpoint, OddShape, Route, Vendor

EMBEDDINGS = Endpoint("mixedbread/embeddings", 0.08, (Limit(1200, 60.0),), paid=True)

MODELS = frozenset({"mixedbread-ai/mxbai-embed-large-v1"})
"""Known models. The short name without the organisation is refused, as since 2025."""
DIMENSIONS = 1024
MOST_TEXTS = 256
MOST_CHARACTERS = 64_000
MOST_TOKENS = 512
"""Longer texts are cut silently, and only what is left counts."""

_CENTRE = 127.5
_SQUARES = [(level - _CENTRE) ** 2 for level in range(256)]


class Embedding:
    """The embedding of one text.

    Each dimension is one byte of a hash stream, centred and scaled. So there are 256 different numbers at most, each
    of which is rounded to 32 bits and written out once, not 1,024 times.
    """

    __slots__ = ("levels", "values")

    def __init__(self, text: str, dimensions: int, *, normalized: bool) -> None:
        stream = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(DIMENSIONS)
        self.levels = stream[:dimensions]
        length = sqrt(sum(map(_SQUARES.__getitem__, self.levels))) if normalized else _CENTRE * 8
        scale = 1.0 / length
        self.values = array("f", [(level - _CENTRE) * scale for level in range(256)])
        """The number for each level."""

    def floats(self) -> orjson.Fragment:
        """As JSON numbers that give back the same 32 bits."""
        written = [f"{value:.9g}".encode() for value in self.values]
        return orjson.Fragment(b"[" + b",".join(map(written.__getitem__, self.levels)) + b"]")

    def base64(self) -> str:
        """As little-endian float32."""
        numbers = array("f", map(self.values.__getitem__, self.levels))
        if byteorder == "big":
            numbers.byteswap()
        return b64encode(numbers.tobytes()).decode()

    def float16(self) -> list[float]:
        """Rounded to 16 bits."""
        rounded = struct.unpack("<256e", struct.pack("<256e", *self.values))
        return [rounded[level] for level in self.levels]

    def int8(self) -> list[int]:
        """One signed byte a dimension."""
        return [level - 128 for level in self.levels]

    def uint8(self) -> list[int]:
        """One byte a dimension."""
        return list(self.levels)

    def ubinary(self) -> list[int]:
        """The signs of eight dimensions in one number from 0 to 255."""
        bits = "".join("1" if level > _CENTRE else "0" for level in self.levels)
        return [int(bits[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(bits), 8)]

    def binary(self) -> list[int]:
        """The same from -128 to 127."""
        return [number - 128 for number in self.ubinary()]


FORMATS: Mapping[str, Callable[[Embedding], Any]] = {
    "float": Embedding.floats, "base64": Embedding.base64, "float16": Embedding.float16, "int8": Embedding.int8,
    "uint8": Embedding.uint8, "binary": Embedding.binary, "ubinary": Embedding.ubinary,
}  # fmt: skip


class Mixedbread(Vendor):
    """The simulated vendor."""

    name = "mixedbread"
    endpoints = (EMBEDDINGS,)

    def route(self, call: Call) -> tuple[Route, ...]:
        """One POST."""
        return (Route(EMBEDDINGS, self._embed),) if (call.method, call.path) == ("POST", "/v1/embeddings") else ()

    def _embed(self, call: Call) -> Reply:
        asked = _Asked(call)
        data = [
            {
                "object": "embedding" if asked.single else "embedding_dict",
                "index": index,
                "embedding": asked.embed(text),
            }
            for index, text in enumerate(asked.texts)
        ]
        if self.dice(call, "order").chance(0.25):
            data.reverse()
        tokens = sum(min(MOST_TOKENS, ceil(len(asked.prompt + text) / 4)) for text in asked.texts)
        dice = self.dice(call, "optional")
        usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0}
        answer = {
            "object": "list", "model": asked.model, "normalized": asked.normalized,
            "encoding_format": asked.formats[0] if asked.single else asked.formats,
            "dimensions": None if dice.chance(0.1) else asked.dimensions, "data": data,
            "usage": usage,
        }  # fmt: skip
        if dice.chance(0.1):
            del answer["object"], usage["completion_tokens"]
        price = self._settings.price("mixedbread/million-tokens")
        return Reply(200, orjson.dumps(answer), effect=True, cost=Cost((price * tokens).scaleb(-6), ZERO))

    # --- how it says no

    def key(self, call: Call) -> str | None:
        """Bearer token."""
        return call.bearer()

    def unauthorised(self, call: Call) -> Reply:
        """401 with `detail`, or in the service's own form."""
        if self.dice(call, "401").below(2):
            return json_reply({"detail": "Invalid API key"}, 401)
        return _service_error(401, "Invalid API key", "authentication_error")

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `Retry-After`, in the older form or in the service's own."""
        wait = ceil(refusal.wait)
        headers = {"retry-after": str(wait)}
        if self.dice(call, "429").below(2):
            return _service_error(429, "Too many requests", "too_many_requests_error", headers)
        details = {
            "retry_after": wait, "limit": str(refusal.limit.calls), "remaining": "0", "reset": str(wait), "tier": "1"
        }  # fmt: skip
        body = {"type": "too_many_requests_error", "url": call.path, "message": "Too many requests", "details": details}
        return json_reply(body, 429, headers)

    def exhausted(self, call: Call) -> Reply:
        """402."""
        return _service_error(402, "Your credit is exhausted", "payment_required_error")

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return _service_error(status, "Internal server error", "internal_server_error")

    def odd_shapes(self, endpoint: Endpoint) -> tuple[OddShape, ...]:
        """A 500 in the validation form."""
        return (OddShape("detail_500", error=lambda call: json_reply({"detail": "Internal Server Error"}, 500)),)


class _Asked:
    """A valid embedding request.

    Raises:
        RefusedError: It is not valid.
    """

    def __init__(self, call: Call) -> None:
        body = call.json
        if not isinstance(body, dict):
            raise _invalid("The body must be a JSON object", "body")
        self.model = body.get("model")
        if not isinstance(self.model, str):
            raise _invalid("Field required", "body", "model")
        if self.model not in MODELS:
            raise RefusedError(_service_error(404, f"Model {self.model[:80]} not found", "not_found_error"))
        self.texts = _texts(body.get("input"))
        self.prompt = body.get("prompt") or ""
        if not isinstance(self.prompt, str) or len(self.prompt) > 32_000:
            raise _invalid("Input should be a string of at most 32000 characters", "body", "prompt")
        self.dimensions = _dimensions(body.get("dimensions"))
        self.normalized = body.get("normalized", True) is not False
        wanted = body.get("encoding_format", "float")
        self.single = isinstance(wanted, str)
        self.formats: list[str] = [wanted] if self.single else wanted
        if (
            not isinstance(self.formats, list)
            or not self.formats
            or not all(isinstance(name, str) and name in FORMATS for name in self.formats)
        ):
            raise _invalid(f"Input should be one or more of {', '.join(FORMATS)}", "body", "encoding_format")

    def embed(self, text: str) -> Any:
        """The embedding of one text in the formats asked for."""
        made = Embedding(self.prompt + text, self.dimensions, normalized=self.normalized)
        if self.single:
            return FORMATS[self.formats[0]](made)
        return {name: FORMATS[name](made) for name in self.formats}


def _texts(given: Any) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _invalid("Input should be a string or a list of strings", "body", "input")
    if not 1 <= len(texts) <= MOST_TEXTS:
        raise _invalid(f"List should have 1 to {MOST_TEXTS} items, not {len(texts)}", "body", "input")
    for index, text in enumerate(texts):
        if not 1 <= len(text) <= MOST_CHARACTERS:
            message = f"String should have 1 to {MOST_CHARACTERS} characters, not {len(text)}"
            raise _invalid(message, "body", "input", index)
    return texts


def _dimensions(given: Any) -> int:
    if given is None:
        return DIMENSIONS
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= DIMENSIONS:
        raise _invalid(f"Input should be an integer from 1 to {DIMENSIONS}", "body", "dimensions")
    return given


def _invalid(message: str, *place: str | int) -> RefusedError:
    detail: dict[str, Any] = {"loc": list(place), "msg": message, "type": "value_error", "input": None, "ctx": {}}
    return RefusedError(json_reply({"detail": [detail]}, 422))


def _service_error(status: int, message: str, kind: str, headers: Mapping[str, str] | None = None) -> Reply:
    return json_reply({"error": {"message": message, "code": status, "type": kind}}, status, headers)
