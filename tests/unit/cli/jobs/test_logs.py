"""`sampan logs`: what is asked of the hub, what is shown, and going on where a connection broke."""

import pytest
from urllib3.exceptions import ProtocolError

from sampan.cli.jobs.log_stream import LogStream, is_passing
from sampan.cli.lib.errors import CliError
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, api_error

ONE, TWO = b"2026-01-01T00:00:01.1Z one\n", b"2026-01-01T00:00:01.2Z two\n"


def test_the_output_is_printed_as_it_is(sampan: Sampan, api: FakeApi) -> None:
    api.output = [[ONE, TWO[:30], TWO[30:], b"\xff\x00"]]
    shown = sampan("logs", "train")
    assert (shown.exit_code, shown.stdout_bytes) == (0, b"one\ntwo\n\xff\x00")
    assert api.read == [("team-a", "train", {"rank": "0", "timestamps": "true"})]


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["-f", "--rank", "3"], {"rank": "3", "follow": "true"}),
        (["--all-ranks", "--tail", "10"], {"rank": "all", "tailLines": "10"}),
        (["--since", "1h30m"], {"rank": "0", "sinceSeconds": "5400"}),
        (["--since", "90"], {"rank": "0", "sinceSeconds": "90"}),
        (["-p"], {"rank": "0", "previous": "true"}),
    ],
)
def test_options_become_parameters(sampan: Sampan, api: FakeApi, arguments: list[str], asked: dict[str, str]) -> None:
    api.output = [[]]
    assert sampan("logs", "train", "-n", "team-b", *arguments).exit_code == 0
    assert api.read == [("team-b", "train", {**asked, "timestamps": "true"})]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--rank", "1", "--all-ranks"], "--rank and --all-ranks exclude each other"),
        (["-f", "-p"], "-f and --previous exclude each other"),
        (["--since", "soon"], "'soon' is no span: give one such as 90s, 5m or 1h30m"),
        (["--since", ""], "is no span"),
        (["--since", "0s"], "is no span"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(sampan: Sampan, arguments: list[str], says: str) -> None:
    shown = sampan("logs", "train", *arguments)
    assert shown.exit_code == 2
    assert says in shown.stderr


def test_times_are_shown_where_asked_for(sampan: Sampan, api: FakeApi) -> None:
    api.output = [[ONE]]
    assert sampan("logs", "train", "--timestamps").stdout_bytes == ONE


def test_a_refusal_is_one_line(sampan: Sampan, api: FakeApi) -> None:
    api.output = [[CliError("refused: rank 0 has not started", "correct that and try again")]]
    shown = sampan("logs", "train")
    assert (shown.exit_code, shown.stderr) == (1, "Error: refused: rank 0 has not started; correct that and try again\n")


def test_a_broken_connection_without_follow_is_told(sampan: Sampan, api: FakeApi) -> None:
    api.output = [[ONE, ProtocolError("cut")]]
    shown = sampan("logs", "train")
    assert (shown.exit_code, shown.stdout) == (1, "one\n")
    assert "the hub cannot be reached" in shown.stderr


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
    told = CliError("the operator does not answer", "")
    told.__cause__ = api_error(status)
    assert (is_passing(told), is_passing(api_error(status))) == (passes, passes)
