"""A server that answers what a test tells it to, well or badly."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[[BaseHTTPRequestHandler, bytes], None]

STATE = {
    "executionId": "run-1",
    "workflowId": "w",
    "workflowVersion": 1,
    "mode": "demo",
    "status": "running",
    "startedAt": "2026-01-09T10:00:00.000Z",
    "completedAt": None,
    "error": None,
    "kind": "WORKFLOW",
    "cancelling": False,
    "priority": 0,
    "attempts": 1,
    "queuedAt": "2026-01-09T10:00:00.000Z",
}
COST = {"apiCalls": 0, "costPerCall": 0, "totalCost": 0, "possiblyPaidTwice": 0, "currency": "USD"}
WHOLE = {
    **STATE,
    "status": "completed",
    "progress": None,
    "nodes": {},
    "cost": COST,
    "output": {"n": 1},
    "executionTime": {"startedAt": None, "completedAt": None, "durationMs": 0},
    "failedRecords": [],
    "inDoubt": [],
    "repeatedCalls": 0,
}


@dataclass
class Stub:
    """A stub that runs.

    Attributes:
        url: Its address.
        replies: By `METHOD /path`: what is answered, one after the other; the last one for ever.
        asked: What was asked for, in order.
        headers: The headers of these requests.
    """

    url: str
    replies: dict[str, list[Reply]]
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def stub(tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Serve, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            place = f"{self.command} {self.path.partition('?')[0]}"
            served.asked.append(f"{self.command} {self.path}")
            served.headers.append({name.lower(): value for name, value in self.headers.items()})
            left = served.replies.get(place) or [problem(404, "not-found", "there is no such thing")]
            (left.pop(0) if len(left) > 1 else left[0])(self, body)

        def do_POST(self) -> None:
            self.do_GET()

        def handle(self) -> None:
            with suppress(ssl.SSLError):
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    served = Stub(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}", {})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(status: int, body: bytes, **headers: str) -> Reply:
    """An answer as it is."""

    def reply(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def told(value: object, status: int = 200, **headers: str) -> Reply:
    """JSON."""
    return answer(status, json.dumps(value).encode(), Content_Type="application/json", **headers)


def problem(status: int, code: str, detail: str, **more: object) -> Reply:
    """Problem details."""
    headers = {key: str(more.pop(key)) for key in list(more) if key == "Retry_After"}
    body = {"type": f"urn:lumeflow:problem:{code}", "title": "", "status": status, "detail": detail, "instance": "/"}
    return told({**body, **more}, status, **headers)


def raw(data: bytes) -> Reply:
    """Bytes in place of an answer, and the end of the connection."""

    def reply(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return reply


def event(kind: str, number: int, node: str | None = None, message: str = "", **data: int) -> bytes:
    """An event of a stream."""
    at = f"2026-01-09T10:00:0{number % 10}.000Z"
    body = {"number": number, "at": at, "kind": kind, "node": node, "message": message, "data": data}
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(body)}\n\n".encode()


END = b"event: end\ndata: {}\n\n"


def events(*pieces: bytes) -> Reply:
    """A stream that stops where the pieces do."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1000\n\n"
    return raw(head + b"".join(pieces))
