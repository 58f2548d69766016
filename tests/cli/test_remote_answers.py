"""What commands say and do when a server answers badly, slowly, twice or not at all."""

import os
import signal
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from stub_server import END, STATE, WHOLE, answer, event, events, problem, raw, stub, told

from lumeflow.cli.main import run
from lumeflow.cli.remote import client as client_module
from lumeflow.cli.remote import watching

LIST = "GET /api/workflows/executions"
RUN = "GET /api/workflows/executions/run-1"
EXECUTE = "POST /api/workflows/saved/execute"
FINDING = {"code": "no-input", "severity": "error", "pointer": "/nodes", "message": "add an input."}


@pytest.fixture
def server(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("LUMEFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LUMEFLOW_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LUMEFLOW_API_KEY", "lf_key")
    monkeypatch.setattr(client_module, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(watching, "PAUSES", (0.01,))
    with stub() as served:
        monkeypatch.setenv("LUMEFLOW_SERVER", served.url)
        yield served


def typed(capfd, *words):
    code = run(words)
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (answer(200, b"<html>hello</html>"), 1, "is it a lumeflow server, and"),
        (answer(404, b"<html>not here</html>"), 2, "is it a lumeflow server, and"),
        (told({"detail": "Not Found"}, 404), 2, "is it a lumeflow server, and"),
        (told({"items": [{"executionId": 1}]}), 1, "compare 'lumeflow version'"),
        (told([1]), 1, "no JSON"),
        (answer(302, b"", Location="https://elsewhere.example/"), 1, "sends its callers to 'https://elsewhere"),
        (raw(b"SSH-2.0-OpenSSH_9.7\r\n"), 1, "does not answer in HTTP"),
        (problem(401, "invalid-key", "no key is valid"), 2, "does not take this API key"),
        (problem(403, "missing-scope", "the key has not the scope 'read'"), 2, "has not the scope 'read'"),
        (problem(500, "internal-error", "lumeflow has a bug"), 1, "lumeflow has a bug"),
        (problem(404, "not-found", "there is \x1b[2J no"), 2, "\\x1b[2J"),
    ],
)
def test_answers_that_are_no_answers(server, capfd, reply, code, message):
    server.replies[LIST] = [reply]
    assert (found := typed(capfd, "executions", "list"))[0] == code
    assert message in found[2]
    assert "Traceback" not in found[2]
    assert found[1] == ""


def test_the_key_is_sent_and_never_follows_a_redirect(server, capfd):
    with stub() as other:
        server.replies[LIST] = [answer(307, b"", Location=f"{other.url}/api/workflows/executions")]
        assert typed(capfd, "executions", "list")[0] == 1
        assert other.asked == []
    assert server.headers[0]["x-api-key"] == "lf_key"


def test_what_the_server_puts_off_is_asked_for_again(server, capfd):
    late = problem(429, "too-many-requests", "wait 0 s", Retry_After=0)
    away = problem(503, "storage-unavailable", "the database is away", Retry_After=0)
    server.replies[LIST] = [late, away, raw(b""), told({"items": [], "nextCursor": None})]
    assert typed(capfd, "executions", "list", "--json")[:2] == (0, '{"executions":[]}\n')
    assert len(server.asked) == 4
    server.replies[LIST] = [late]
    code, _, err = typed(capfd, "executions", "list")
    assert (code, len(server.asked)) == (1, 4 + 1 + client_module.MOST_RESTS)
    assert "wait 0 s" in err


def test_nobody_listens(server, capfd, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("LUMEFLOW_SERVER", f"http://127.0.0.1:{closed.getsockname()[1]}")
        code, out, _ = typed(capfd, "executions", "list", "--json")
    error = orjson.loads(out)["error"]
    assert (code, error["code"]) == (1, "server")
    assert "is 'lumeflow serve' running there?" in error["message"]


def test_tls_where_there_is_none(server, capfd, monkeypatch):
    monkeypatch.setenv("LUMEFLOW_SERVER", server.url.replace("http:", "https:"))
    code, _, err = typed(capfd, "executions", "list")
    assert code == 1
    assert "is its URL one with 'http://'?" in err


def own_certificate(folder):
    """TLS by a certificate that nobody has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    pem += key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "both.pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context


def test_a_certificate_that_nobody_has_signed(server, capfd, monkeypatch, tmp_path):
    with stub(own_certificate(tmp_path)) as secure:
        monkeypatch.setenv("LUMEFLOW_SERVER", secure.url)
        code, _, err = typed(capfd, "executions", "list")
        assert (code, secure.asked) == (1, [])
    assert "cannot be trusted: self-signed certificate. For an authority of your own" in err


def test_findings_of_the_server_are_shown_as_ones_of_this_machine(server, capfd, tmp_path):
    refused = problem(422, "invalid-workflow", "the workflow has 1 error", findings=[FINDING])
    server.replies[EXECUTE] = [refused]
    code, _, err = typed(capfd, "run", "saved")
    assert code == 2
    assert "error  no-input  /nodes\n    add an input." in err
    assert orjson.loads(typed(capfd, "run", "saved", "--json")[1])["error"]["findings"] == [FINDING]
    (tmp_path / "bad.json").write_text("{}")
    server.replies["POST /api/workflows/validate"] = [told({"valid": False, "findings": [FINDING]})]
    assert typed(capfd, "run", str(tmp_path / "bad.json"))[0] == 2
    assert not any("execute" in place for place in server.asked[2:])


def test_every_field_that_is_wrong_is_told(server, capfd):
    errors = [{"where": "body", "field": f"/{n}", "message": "no number"} for n in "ab"]
    server.replies[EXECUTE] = [problem(422, "invalid-request", "body /a: no number (and 1 more)", errors=errors)]
    assert "  body /b: no number" in typed(capfd, "run", "saved")[2]


def test_a_name_that_is_no_file_and_no_workflow(server, capfd):
    code, _, err = typed(capfd, "run", "nothing")
    assert code == 2
    assert err.startswith(f"error: there is no file 'nothing', and on {server.url} there is")


def test_a_start_whose_answer_was_lost_is_asked_for_again_under_its_key(server, capfd):
    server.replies[EXECUTE] = [raw(b""), raw(b"HTTP/1.1 202 Accepted\r\nContent-Le"), told(STATE, 202)]
    server.replies[f"{RUN}/events"] = [events(END)]
    server.replies[RUN] = [told(WHOLE)]
    code, out, err = typed(capfd, "run", "saved", "--json")
    assert (code, orjson.loads(out)["output"]) == (0, {"n": 1}), err
    starts = [head for place, head in zip(server.asked, server.headers, strict=True) if place == EXECUTE]
    assert len(starts) == 3
    assert len({head["idempotency-key"] for head in starts}) == 1


def test_a_stream_that_is_cut_goes_on_where_it_was(server, capfd):
    server.replies[EXECUTE] = [told(STATE, 202)]
    server.replies[f"{RUN}/events"] = [
        events(event("execution.started", 1), event("node.started", 2, "a"), b"id: 3\nevent: node.fini"),
        raw(b""),
        answer(502, b"<html>"),
        problem(429, "too-many-streams", "enough", Retry_After=0),
        events(
            event("node.finished", 3, "a", "completed", recordsIn=7, calls=3, cost="0.1140"),
            b"id: 4\nevent: new.kind\n",
            END,
        ),
    ]
    server.replies[RUN] = [told({**WHOLE, "status": "running"}), told(WHOLE)]
    code, _, err = typed(capfd, "run", "saved")
    assert code == 0, err
    assert err.count("a: started") == 1
    assert "a: completed, 7 records in, 0 out, 3 calls, $0.1140" in err
    sent = [head for place, head in zip(server.asked, server.headers, strict=True) if place.endswith("/events")]
    assert [head.get("last-event-id") for head in sent] == [None, "2", "2", "2", "2"]


def test_a_server_that_stays_away_is_given_up(server, capfd, monkeypatch):
    monkeypatch.setattr(watching, "PATIENCE", 0.1)
    server.replies[EXECUTE] = [told(STATE, 202)]
    server.replies[f"{RUN}/events"] = [raw(b"")]
    code, _, err = typed(capfd, "run", "saved", "--server", server.url)
    assert code == 1
    assert "is away: trying again" in err
    assert f"follow it with: lumeflow executions watch run-1 --server {server.url}" in err


def test_ctrl_c_cancels_on_the_server(server, capfd):
    cancelled = threading.Event()

    def hold(handler, _):
        events(event("execution.started", 1))(handler, b"")
        handler.wfile.flush()
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled.wait(10)
        handler.wfile.write(END)

    def cancel(handler, _):
        cancelled.set()
        told(STATE)(handler, b"")

    server.replies[EXECUTE] = [told(STATE, 202)]
    server.replies[f"{RUN}/events"] = [hold]
    server.replies["POST /api/workflows/executions/run-1/cancel"] = [cancel]
    server.replies[RUN] = [told({**WHOLE, "status": "cancelled"})]
    code, out, err = typed(capfd, "run", "saved")
    assert code == 1
    assert out.startswith("cancelled  w  run-1")
    assert "stopping…" in err
    assert err.endswith("to continue: lumeflow executions resume run-1\n")


def test_ctrl_c_leaves_what_is_only_watched(server, capfd):
    def hold(handler, _):
        events(event("execution.started", 1))(handler, b"")
        handler.wfile.flush()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)

    server.replies[f"{RUN}/events"] = [hold]
    server.replies[RUN] = [told({**WHOLE, "status": "running"})]
    code, out, err = typed(capfd, "executions", "watch", "run-1")
    assert (code, out) == (130, "")
    assert "it is running; to follow it again: lumeflow executions watch run-1" in err
    assert not any("cancel" in place for place in server.asked)


def test_a_file_that_is_cut_off_does_not_appear(server, capfd, tmp_path):
    server.replies[RUN] = [told(WHOLE)]
    cut = raw(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[\n{"a": 1},\n')
    server.replies[f"{RUN}/records/output/download"] = [cut]
    code, _, err = typed(capfd, "executions", "output", "run-1", "--to", str(tmp_path / "out.json"))
    assert code == 1
    assert "broke before the answer was complete" in err
    assert not [path for path in tmp_path.iterdir() if "out.json" in path.name]


def test_an_execution_id_stays_in_its_part_of_the_path(server, capfd):
    for name, path in (("../../keys", "..%2F..%2Fkeys"), ("..", "%2E%2E"), ("a?b#c é", "a%3Fb%23c%20%C3%A9")):
        assert typed(capfd, "executions", "cancel", name)[0] == 2
        assert server.asked[-1] == f"POST /api/workflows/executions/{path}/cancel"


def test_what_there_is_left_to_resume_is_shown(server, capfd):
    server.replies["POST /api/workflows/executions/run-1/resume"] = [problem(409, "not-resumable", "nothing is left")]
    server.replies[RUN] = [told(WHOLE)]
    assert typed(capfd, "executions", "resume", "run-1")[0] == 0
    server.replies[RUN] = [told({**WHOLE, "status": "running"})]
    assert typed(capfd, "executions", "resume", "run-1")[0] == 2
