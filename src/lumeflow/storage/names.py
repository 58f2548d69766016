"""File names made of ids that somebody else chose."""

import hashlib
import re

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def file_name(name: str) -> str:
    """`name` where it is a plain file name on every system, else its SHA-256."""
    return name if _SAFE.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
