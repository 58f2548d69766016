"""A receiver of webhooks, as a customer might run one: it checks signatures and takes each delivery once."""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from lumeflow.simulator.exchange import Call, RefusedError, Reply, json_reply
from lumeflow.simulator.limits import Refusal
from lumeflow.simulator.settings import SIMULATOR_KEY
from lumeflow.simulator.vendor import Endpoint, Route, Surroundings, Vendor

DELIVER = Endpoint("webhook/deliver", 0.1)
OPEN = Endpoint("webhook/deliver-open", 0.1)

TOLERANCE = 300
"""Seconds that a delivery may be on its way."""
_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Webhook(Vendor):
    """The simulated receiver: `/webhooks/…` wants signatures, `/open-webhooks/…` takes everything.

    The secret is `sim-key`. A delivery is known again by its `Idempotency-Key`.
    """

    name = "webhook"
    endpoints = (DELIVER, OPEN)

    def __init__(self, surroundings: Surroundings) -> None:
        super().__init__(surroundings)
        self._bodies: dict[str, bytes] = {}
        """Digests of the bodies by path and key."""

    def route(self, call: Call) -> tuple[Route, ...]:
        """Whatever is sent to one of the two paths."""
        _, place, *rest = call.path.split("/")
        if call.method not in _METHODS or not rest or not all(rest):
            return ()
        return {"webhooks": (Route(DELIVER, self._take),), "open-webhooks": (Route(OPEN, self._take),)}.get(place, ())

    def _take(self, call: Call) -> Reply:
        key = call.headers.get("idempotency-key", "")
        digest = blake2b(call.body, digest_size=16).digest()
        known = self._bodies.get(f"{call.path} {key}") if key else None
        if known is not None and known != digest:
            raise RefusedError(json_reply({"error": "this Idempotency-Key came before with another body"}, 422))
        if key:
            self._bodies[f"{call.path} {key}"] = digest
        reply = json_reply({"received": True, "repeated": known is not None}, 200 if known else 202)
        reply.effect = True
        return reply

    # --- how it says no

    def accepts(self, call: Call) -> bool:
        """True for a delivery that was signed with our secret, just now."""
        return not call.path.startswith("/webhooks/") or _is_signed(call.headers, call.body, self._clock.date())

    def key(self, call: Call) -> str | None:
        """The signature."""
        return call.headers.get("x-lumeflow-signature")

    def unauthorised(self, call: Call) -> Reply:
        """401."""
        return json_reply({"error": "the signature is missing, does not fit, or is too old"}, 401)

    def rate_limited(self, call: Call, refusal: Refusal) -> Reply:
        """429 with `Retry-After`."""
        return json_reply({"error": "slow down"}, 429, {"retry-after": f"{refusal.wait:.0f}"})

    def exhausted(self, call: Call) -> Reply:
        """Deliveries cost nothing, so this never happens."""
        return json_reply({"error": "nothing more is taken"}, 402)

    def server_error(self, call: Call, status: int) -> Reply:
        """5xx."""
        return json_reply({"error": "something went wrong here"}, status)


def _is_signed(headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Written out once more, apart from the code that signs: so that a mistake there shows."""
    timestamp, delivery = headers.get("x-lumeflow-timestamp", ""), headers.get("idempotency-key", "")
    if not timestamp.isdigit() or len(timestamp) > 12 or abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        return False
    signed = b"%s.%s.%s" % (timestamp.encode(), delivery.encode("utf-8", "replace"), body)
    made = "sha256=" + hmac.new(SIMULATOR_KEY.encode(), signed, "sha256").hexdigest()
    return hmac.compare_digest(made.encode(), headers.get("x-lumeflow-signature", "").encode("utf-8", "replace"))
