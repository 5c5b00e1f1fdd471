"""`sampan port-forward`: what is listened on, and how a connection and a stream become one."""

import queue
import socket
import threading

import pytest

from sampan.cli.jobs import port_forward
from sampan.cli.jobs.port_forward import Connection, Forward, shut
from sampan.client.access.hub import Hub
from sampan.client.errors import NotAllowedError
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi

HEADERS = (b"\x00\x90\x1f", b"\x01\x90\x1f")


class FakeStream:
    """A stream to a port."""

    def __init__(self, *messages: bytes | None) -> None:
        self.says: queue.Queue[bytes | None] = queue.Queue()
        self.heard: queue.Queue[bytes] = queue.Queue()
        for message in messages:
            self.says.put(message)

    def recv(self, timeout: float | None = None) -> bytes | None:
        """See `Socket`."""
        try:
            return self.says.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error

    def send(self, message: bytes) -> None:
        """See `Socket`."""
        self.heard.put(message)

    def close(self) -> None:
        """See `Socket`."""


def carried(stream: FakeStream) -> tuple[socket.socket, "queue.Queue[str]"]:
    """A program's end of a connection that is being passed on, and where the words at its end come."""
    program, ours = socket.socketpair()
    program.settimeout(60)
    words: queue.Queue[str] = queue.Queue()

    def carry() -> None:
        with ours:
            said = Connection(ours, stream).carry()
            shut(ours)
            words.put(said)

    threading.Thread(target=carry, daemon=True).start()
    return program, words


def test_bytes_pass_both_ways_without_the_protocol_s_own() -> None:
    stream = FakeStream(*HEADERS)
    program, words = carried(stream)
    with program:
        program.sendall(b"GET /")
        assert stream.heard.get(timeout=60) == b"\x00GET /"
        stream.says.put(b"\x00hello")
        stream.says.put(b"\x00\xff\x00")
        assert program.recv(5) == b"hello"
        assert program.recv(5) == b"\xff\x00"
        stream.says.put(None)
        assert (program.recv(5), words.get(timeout=60)) == (b"", "")


def test_the_other_side_s_trouble_is_told() -> None:
    program, words = carried(FakeStream(HEADERS[0], HEADERS[1] + b"connection ", b"\x01refused", None))
    with program:
        assert (program.recv(5), words.get(timeout=60)) == (b"", "connection refused")


def test_an_answer_is_read_after_the_question_s_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_forward, "LINGER", 0.2)
    stream = FakeStream(*HEADERS)
    program, words = carried(stream)
    with program:
        program.sendall(b"question")
        program.shutdown(socket.SHUT_WR)
        assert stream.heard.get(timeout=60) == b"\x00question"
        stream.says.put(b"\x00answer")
        assert program.recv(10) == b"answer"
        assert words.get(timeout=60) == ""  # the other end said nothing more


def test_a_connection_that_is_refused_says_why_and_ends_alone(capsys: pytest.CaptureFixture[str]) -> None:
    api = FakeApi()
    api.stream_refusal = NotAllowedError("not allowed: no")
    program, ours = socket.socketpair()
    with program:
        Forward(Hub(api, namespace="team-a", default_namespace="team-a"), "train", 1).carry(ours, 8080)
        assert program.recv(1) == b""
    assert capsys.readouterr().err == "port 8080: not allowed: no\n"


def test_nothing_is_listened_on_for_what_may_not_be(sampan: Sampan, api: FakeApi) -> None:
    api.stream_refusal = NotAllowedError("not allowed: no")
    shown = sampan("port-forward", "train", "8080")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert "not allowed: no" in shown.stderr


@pytest.mark.parametrize("ports", ["http", "1:2:3", "8080:", "70000", "8080:0", "-1", "٣"])
def test_what_is_no_port_is_a_usage_error(sampan: Sampan, ports: str) -> None:
    shown = sampan("port-forward", "train", "--", ports)
    assert shown.exit_code == 2
    assert "no pair of ports" in shown.stderr


def test_it_listens_on_this_machine_alone(sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shown = sampan("port-forward", "train", f"{port}:8080")
        assert (shown.exit_code, f"127.0.0.1:{port}: Address already in use" in shown.stderr) == (1, True)
    monkeypatch.setattr(port_forward, "until_interrupted", lambda: None)
    shown = sampan("port-forward", "train", f"{port}:8080", ":6006")
    first, second = shown.stdout.splitlines()
    assert (shown.exit_code, first) == (0, f"Forwarding from 127.0.0.1:{port} -> 8080")
    assert second.startswith("Forwarding from 127.0.0.1:")
    assert second.endswith(" -> 6006")
