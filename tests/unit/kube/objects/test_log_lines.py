"""Bytes of a log, in whatever pieces they come."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.objects.log_lines import MAX_LINE, Line, LineSplitter, Seen, nanoseconds

STAMP = b"2026-01-01T00:00:00.5Z"


def split(data: bytes, cuts: Sequence[int] = ()) -> list[Line]:
    """The lines of data that comes in pieces."""
    splitter, found, last = LineSplitter(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += splitter.feed(data[last:cut])
        last = cut
    return found + splitter.rest()


def test_each_line_has_its_time_apart() -> None:
    data = STAMP + b" one\n" + STAMP + b" \nno time\n" + STAMP + b" end"
    assert split(data) == [Line(STAMP, b"one\n"), Line(STAMP, b"\n"), Line(b"", b"no time\n"), Line(STAMP, b"end")]


def test_a_line_without_end_comes_in_pieces() -> None:
    data = STAMP + b" " + b"x" * (3 * MAX_LINE)
    found = split(data, range(0, len(data), 1000))
    assert b"".join(line.text for line in found) == b"x" * (3 * MAX_LINE)
    assert [line.begins for line in found] == [True, *[False] * (len(found) - 1)]
    assert [line.stamp for line in found] == [STAMP, *[b""] * (len(found) - 1)]
    assert max(len(line.text) for line in found) <= MAX_LINE + 64


@given(
    texts=st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"") + b"\n"), max_size=20),
    cuts=st.lists(st.integers(0, 2000), max_size=20),
)
def test_however_the_bytes_come_nothing_is_lost(texts: list[bytes], cuts: list[int]) -> None:
    data = b"".join(STAMP + b" " + text for text in texts)
    assert [(line.stamp, line.text) for line in split(data, cuts)] == [(STAMP, text) for text in texts]


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_come_out_as_they_went_in(data: bytes, cuts: list[int]) -> None:
    found = split(data, cuts)
    assert b"".join(line.stamp + b" " * bool(line.stamp) + line.text for line in found) == data


def test_times_are_read_to_the_nanosecond() -> None:
    assert nanoseconds(b"1970-01-01T00:00:01Z") == 10**9
    assert nanoseconds(b"1970-01-01T08:00:01.5+08:00") == 1_500_000_000
    assert nanoseconds(b"1970-01-01T00:00:01.000000001Z") == 1_000_000_001
    assert nanoseconds(b"2026-13-01T00:00:00Z") is None
    assert nanoseconds(b"now") is None


@given(
    times=st.lists(st.integers(0, 5_000_000_000), max_size=30).map(sorted),
    stops=st.lists(st.integers(0, 30), max_size=4).map(sorted),
)
def test_a_log_that_is_taken_up_again_and_again_is_read_once(times: list[int], stops: list[int]) -> None:
    lines = [Line(b"1970-01-01T00:00:%02d.%09dZ" % divmod(at, 10**9), b"%d\n" % number) for number, at in enumerate(times)]
    seen, read, start = Seen(), [], 0
    for stop in [*stops, len(lines)]:
        read += [line for line in lines[start : max(stop, start)] if seen.is_new(line)]
        since = seen.resume()
        # as an API server answers: all lines of that second and later
        start = 0 if since is None else next(n for n, at in enumerate(times) if at // 10**9 >= int(since.timestamp()))
    read += [line for line in lines[start:] if seen.is_new(line)]
    assert read == lines


def test_a_clock_that_goes_back_hides_nothing() -> None:
    seen = Seen()
    lines = [Line(b"2026-01-01T00:00:09Z", b"a\n"), Line(b"2026-01-01T00:00:01Z", b"b\n"), Line(b"", b"c\n")]
    assert [seen.is_new(line) for line in lines] == [True, True, True]


def test_pieces_go_with_the_beginning_of_their_line() -> None:
    seen = Seen()
    line, piece = Line(STAMP, b"x"), Line(b"", b"y\n", begins=False)
    assert (seen.is_new(line), seen.is_new(piece)) == (True, True)
    seen.resume()
    assert (seen.is_new(line), seen.is_new(piece)) == (False, False)
