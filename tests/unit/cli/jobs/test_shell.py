"""`sampan exec` and `attach`: what is asked of the hub, and what is made of its messages."""

import json
import os
import threading

import pytest

from sampan.client.errors import RefusedError
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi


class FakeStream:
    """A stream whose messages a test gives; remembers what was sent, and ends only after the input has, where there is any."""

    def __init__(self, *messages: bytes, after: bytes | None = None) -> None:
        self._messages = list(messages)
        self._after = after
        self.sent: list[bytes] = []
        self._news = threading.Event()

    def recv(self, timeout: float | None = None) -> bytes | None:
        """See `Socket`."""
        while self._after is not None and self._after not in self.sent:
            assert self._news.wait(60)
        return self._messages.pop(0) if self._messages else None

    def send(self, message: bytes) -> None:
        """See `Socket`."""
        self.sent.append(message)
        self._news.set()

    def close(self) -> None:
        """See `Socket`."""


def ended(code: int) -> bytes:
    """The Status of a command that ended so, as a kubelet gives it."""
    causes = [{"reason": "ExitCode", "message": str(code)}]
    failed = {"status": "Failure", "reason": "NonZeroExitCode", "message": f"exit code {code}", "details": {"causes": causes}}
    return b"\x03" + json.dumps(failed if code else {"status": "Success"}).encode()


def test_output_errors_and_exit_code_are_the_command_s(sampan: Sampan, api: FakeApi) -> None:
    api.streams = [FakeStream(b"\x01", b"\x01\xffout\n", b"\x02err\n", ended(3))]
    shown = sampan("exec", "train", "--rank", "2", "--", "sh", "-c", "exit 3")
    assert (shown.exit_code, shown.stdout_bytes, shown.stderr) == (3, b"\xffout\n", "err\n")
    params = [("rank", "2"), ("stdout", "true"), ("stderr", "true"), ("command", "sh"), ("command", "-c"), ("command", "exit 3")]
    assert api.opened == [("team-a", "train", "exec", params)]


def test_input_is_passed_on_with_its_end(sampan: Sampan, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\x00\xffdata")
    os.close(writing)
    read = os.read
    monkeypatch.setattr(os, "read", lambda descriptor, count: read(reading if descriptor == 0 else descriptor, count))
    stream = FakeStream(ended(0), after=b"\xff\x00")
    api.streams = [stream]
    assert sampan("exec", "-i", "train", "-n", "team-b", "--", "cat").exit_code == 0
    assert stream.sent == [b"\x00\x00\xffdata", b"\xff\x00"]
    assert api.opened[0][:3] == ("team-b", "train", "exec")
    assert ("stdin", "true") in api.opened[0][3]
    os.close(reading)


def test_without_a_terminal_there_is_none_to_pass_on(sampan: Sampan, api: FakeApi) -> None:
    api.streams = [FakeStream(ended(0))]
    shown = sampan("exec", "-t", "train", "--", "sh")
    assert "going on without -t" in shown.stderr
    assert "tty" not in dict(api.opened[0][3])


@pytest.mark.parametrize(
    ("last", "says"),
    [
        (b"", "the stream ended before the command did"),
        (b'\x03{"status":"Failure","message":"no such file"}', "no such file"),
        (b'\x03{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"many"}]}}', "the command did not run"),
    ],
)
def test_without_an_exit_code_it_says_why(sampan: Sampan, api: FakeApi, last: bytes, says: str) -> None:
    api.streams = [FakeStream(b"\x01out", *[last] * bool(last))]
    shown = sampan("exec", "train", "--", "sh")
    assert (shown.exit_code, shown.stdout_bytes) == (1, b"out")
    assert says in shown.stderr


def test_what_the_hub_refuses_is_told(sampan: Sampan, api: FakeApi) -> None:
    api.stream_refusal = RefusedError("rank 0 of attempt 1 has ended")
    shown = sampan("attach", "train")
    assert (shown.exit_code, "rank 0 of attempt 1 has ended" in shown.stderr) == (1, True)


def test_the_process_itself_is_only_looked_at(sampan: Sampan, api: FakeApi) -> None:
    api.streams = [FakeStream(b"\x01tick\n", ended(0))]
    assert sampan("attach", "train").stdout == "tick\n"
    assert api.opened == [("team-a", "train", "attach", [("rank", "0"), ("stdout", "true"), ("stderr", "true")])]


def test_a_command_must_be_given(sampan: Sampan) -> None:
    shown = sampan("exec", "train")
    assert (shown.exit_code, "sampan exec JOB -- COMMAND" in shown.stderr) == (2, True)
