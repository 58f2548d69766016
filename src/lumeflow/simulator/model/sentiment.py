"""Judges the sentiment of a text by its words and signs."""

import re
from collections.abc import Mapping
from typing import Any


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GOOD = _words(
    "love loved great good best beautiful wonderful amazing awesome thanks thank perfect nice happy delicious "
    "excellent fantastic bello bella bellissimo grazie ottimo schön toll danke gut gracias merci super bravo lovely"
)
_BAD = _words(
    "bad worst terrible awful broken late never hate disappointed disappointing slow rude cold poor horrible refund "
    "brutto pessimo schlecht kaputt malo mauvais nul overpriced"
)
_HAPPY, _SAD = "😍❤🥰😊👏🎉💕👍", "😡😢👎🤮😠💔"
_WORD = re.compile(r"[^\W\d_]+")


def sentiment_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Label, score and confidence of one text."""
    text = " ".join(value for name, value in entry.items() if name != "id" and isinstance(value, str))
    words = [word.lower() for word in _WORD.findall(text)]
    good = sum(word in _GOOD for word in words) + sum(text.count(sign) for sign in _HAPPY)
    bad = sum(word in _BAD for word in words) + sum(text.count(sign) for sign in _SAD)
    if good and bad:
        return {"label": "mixed", "score": round((good - bad) / (good + bad) / 2, 2), "confidence": 0.7}
    if not good and not bad:
        return {"label": "neutral", "score": 0, "confidence": 0.8}
    strength = min(0.5 + 0.2 * (good + bad), 1.0)
    label, sign = ("positive", 1) if good else ("negative", -1)
    return {
        "label": label,
        "score": round(sign * strength, 2),
        "confidence": round(min(0.7 + 0.1 * (good + bad), 0.98), 2),
    }
