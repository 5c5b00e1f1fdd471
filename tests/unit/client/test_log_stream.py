"""A followed log: going on where a connection broke, and lines of what comes in pieces."""

from collections.abc import Iterator

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from sampan.client.errors import ClientError
from sampan.client.log_stream import LONGEST, LogStream, is_passing, lines, params_of
from unit.cli.fakes import FakeApi, api_error

ONE, TWO = b"2026-01-01T00:00:01.1Z one\n", b"2026-01-01T00:00:01.2Z two\n"


@pytest.fixture
def api() -> FakeApi:
    """A hub in memory."""
    return FakeApi()


def followed(api: FakeApi, rank: str = "0", **params: str) -> bytes:
    """All that a follower sees, without waiting between two connections."""
    stream = LogStream(lambda asked: api.log("team-a", "train", asked), {"rank": rank, "follow": "true", **params}, broken=is_passing)
    return b"".join(stream.chunks(clock=lambda: 0.0, sleep=lambda _: None))


def test_a_followed_log_goes_on_where_its_connection_broke(api: FakeApi) -> None:
    api.output = [[ProtocolError("cut")], [ONE, ProtocolError("cut")], [ONE, TWO]]
    assert followed(api, tailLines="5", sinceSeconds="9") == b"one\ntwo\n"
    first, second, third = (asked for _, _, asked in api.read)
    assert first == second == {"rank": "0", "follow": "true", "tailLines": "5", "sinceSeconds": "9", "timestamps": "true"}
    assert third == {"rank": "0", "follow": "true", "timestamps": "true", "sinceTime": "2026-01-01T00:00:01Z"}


def test_each_rank_goes_on_where_it_was(api: FakeApi) -> None:
    api.output = [[b"[0] " + ONE, b"[1] 2026-01-01T00:00:07Z late\n", ProtocolError("cut")]]
    api.output += [[b"[1] 2026-01-01T00:00:07Z late\n", b"[0] " + ONE, b"[0] " + TWO, b"--- attempt 2 ---\n", b"[0] no time\n"]]
    assert followed(api, rank="all") == b"[0] one\n[1] late\n[0] two\n--- attempt 2 ---\n[0] no time\n"
    assert api.read[1][2]["sinceTime"] == "2026-01-01T00:00:01Z"


def test_a_hub_that_stays_away_is_given_up(api: FakeApi) -> None:
    api.output = [[ProtocolError("cut")], [ProtocolError("cut")]]
    times = iter([0.0, 1.0, 1000.0])
    stream = LogStream(lambda asked: api.log("team-a", "train", asked), {"follow": "true"}, broken=is_passing)
    with pytest.raises(ProtocolError):
        list(stream.chunks(clock=lambda: next(times), sleep=lambda _: None))


def test_a_hub_that_is_silent_for_long_is_asked_again(api: FakeApi) -> None:
    times = iter([0.0, 300.0, 300.0, 300.0])
    api.output = [[ONE, ProtocolError("read timed out")], [ONE, TWO]]
    stream = LogStream(lambda asked: api.log("team-a", "train", asked), {"follow": "true"}, broken=is_passing)
    assert b"".join(stream.chunks(clock=lambda: next(times), sleep=lambda _: None)) == b"one\ntwo\n"


@pytest.mark.parametrize(("status", "passes"), [(503, True), (429, True), (504, True), (403, False), (404, False)])
def test_an_operator_that_is_away_for_a_moment_is_waited_for(status: int, *, passes: bool) -> None:
    told = ClientError("the operator does not answer", "")
    told.__cause__ = api_error(status)
    assert (is_passing(told), is_passing(api_error(status))) == (passes, passes)


@pytest.mark.parametrize(
    ("pieces", "want"),
    [
        ([b"one\ntw", b"o\n"], [b"one", b"two"]),
        ([b"one\n\nthree"], [b"one", b"", b"three"]),
        ([b"", b"\xff\x00\n"], [b"\xff\x00"]),
        ([b"x" * LONGEST, b"y", b"z\n"], [b"x" * LONGEST + b"y", b"z"]),
        ([], []),
    ],
    ids=["in pieces", "no end", "bytes", "endless", "nothing"],
)
def test_pieces_become_lines(pieces: list[bytes], want: list[bytes]) -> None:
    assert list(lines(pieces)) == want


def test_what_came_before_a_stream_broke_is_told() -> None:
    def broken() -> Iterator[bytes]:
        yield b"one\nhalf"
        raise ProtocolError("cut")

    told = lines(broken())
    assert [next(told), next(told)] == [b"one", b"half"]
    with pytest.raises(ProtocolError):
        next(told)


def test_options_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="rank and all_ranks exclude each other"):
        params_of({"rank": 0, "all_ranks": True})
    with pytest.raises(ValueError, match="follow and previous exclude each other"):
        params_of({"follow": True, "previous": True})


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("SSLError [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol", True),
        ("SSLError [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", False),
    ],
)
def test_a_handshake_that_was_cut_is_tried_again_but_a_certificate_stays_untrusted(said: str, *, passes: bool) -> None:
    assert is_passing(ApiException(status=0, reason=said)) is passes
