"""`sampan logs`: what is asked of the hub, and what is shown."""

import pytest
from urllib3.exceptions import ProtocolError

from sampan.client.errors import ClientError
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi

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
    api.output = [[ClientError("refused: rank 0 has not started", "correct that and try again")]]
    shown = sampan("logs", "train")
    assert (shown.exit_code, shown.stderr) == (1, "Error: refused: rank 0 has not started; correct that and try again\n")


def test_a_broken_connection_without_follow_is_told(sampan: Sampan, api: FakeApi) -> None:
    api.output = [[ONE, ProtocolError("cut")]]
    shown = sampan("logs", "train")
    assert (shown.exit_code, shown.stdout) == (1, "one\n")
    assert "the hub cannot be reached" in shown.stderr
