"""What is written to the server: request line and headers."""

import re

from lumeflow.core.http import HttpRequest
from lumeflow.gateway.http.target import Origin

# RFC 9110, sections 5.1 and 5.5. A line break in a value would smuggle in a header, or a request.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS", "DELETE", "TRACE"})
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that say how the message is framed: a request does not set them itself."""
_DEFAULTS = {"accept": "*/*", "accept-encoding": "gzip, deflate", "user-agent": "lumeflow"}


def render_head(request: HttpRequest, origin: Origin, target: str) -> bytes:
    """The head of a request, in the bytes that are sent.

    Raises:
        ValueError: A method or header is none. Values are not quoted.
    """
    if not _TOKEN.fullmatch(request.method):
        raise ValueError("its method is no name")
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {origin.authority}"]
    given = set()
    for name, value in request.headers.items():
        lowered = name.lower()
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"its header {name!r} holds a character that no header may hold")
        given.add(lowered)
        if lowered not in _OURS:
            lines.append(f"{name}: {value.strip()}")
    lines += [f"{name}: {value}" for name, value in _DEFAULTS.items() if name not in given]
    if request.body or request.method not in _WITHOUT_BODY:
        lines.append(f"Content-Length: {len(request.body)}")
    lines.append("\r\n")
    return "\r\n".join(lines).encode()
