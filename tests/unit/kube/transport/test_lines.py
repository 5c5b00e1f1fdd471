"""Lines come out whole however the bytes came in."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.errors import TooLarge
from sampan.kube.transport.lines import LineSplitter


@given(st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=10), st.lists(st.integers(0, 200), max_size=10))
def test_cuts_do_not_matter(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\n" for line in lines)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    splitter = LineSplitter(1000)
    got = [line for start, end in itertools.pairwise(edges) for line in splitter.feed(data[start:end])]
    assert got == [line for line in lines if line]


def test_a_line_above_the_cap_is_refused_before_it_ends() -> None:
    splitter = LineSplitter(10)
    assert splitter.feed(b"0123456789\n") == [b"0123456789"]
    splitter.feed(b"012345")
    with pytest.raises(TooLarge):
        splitter.feed(b"6789A")


def test_many_small_chunks_of_one_line() -> None:
    splitter = LineSplitter(100_000)
    for _ in range(50_000):
        assert splitter.feed(b"x") == []
    assert splitter.feed(b"\n") == [b"x" * 50_000]
