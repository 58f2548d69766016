"""Text of others on a terminal: names, messages and records may hold anything."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def visible(text: str) -> str:
    """A text whose control characters are spelled out, so that it cannot steer the terminal; lines and tabs stay."""
    return text.translate(_CONTROLS)
