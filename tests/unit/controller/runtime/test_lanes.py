"""A lane lets so many in at once, the others in turn, and no lane waits for another."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.controller.runtime.lanes import Lanes


def test_a_full_lane_keeps_nobody_out_of_another() -> None:
    lanes = Lanes(lambda _: 2, list[str]().append)
    assert [lanes.enter(key, "slow") for key in "abc"] == [True, True, False]
    assert lanes.enter("d", "fast")
    assert lanes.waiting == 1


def test_whoever_waited_first_is_called_first_and_nobody_overtakes_it() -> None:
    called: list[str] = []
    lanes = Lanes(lambda _: 1, called.append)
    assert [lanes.enter(key, "lane") for key in "abc"] == [True, False, False]
    lanes.leave("a")
    assert called == ["b"]
    assert not lanes.enter("d", "lane"), "the slot is kept for the one that was called"
    assert lanes.enter("b", "lane")
    lanes.leave("b")
    assert called == ["b", "c"]


def test_one_that_asks_again_keeps_its_place_and_one_that_goes_gives_it_up() -> None:
    called: list[str] = []
    lanes = Lanes(lambda _: 1, called.append)
    assert [lanes.enter(key, "lane") for key in "abcd"] == [True, False, False, False]
    assert not lanes.enter("b", "lane")
    assert lanes.enter("c", "another"), "it needs the other lane now"
    lanes.leave("a")
    assert called == ["b"]
    lanes.leave("b")
    assert called == ["b", "d"], "one that was called and needs no slot any more gives it to the next"


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", "east", "west", "gone"])), max_size=200),
    st.integers(1, 3),
)
def test_whatever_comes_no_lane_is_too_full_or_idle_while_somebody_waits(steps: list[tuple[int, str]], width: int) -> None:
    called: list[str] = []
    lanes = Lanes(lambda _: width, called.append)
    busy: dict[str, str] = {}
    waits: dict[str, str] = {}
    for number, lane in steps:
        key = str(number)
        if lane == "gone" or key in busy:  # who works is done before it asks again
            lanes.leave(key)
            busy.pop(key, None)
            waits.pop(key, None)
        else:
            (busy if lanes.enter(key, lane) else waits)[key] = lane
            if key in busy:
                waits.pop(key, None)
        while called:
            key = called.pop(0)
            assert lanes.enter(key, waits[key])
            busy[key] = waits.pop(key)
        in_use = list(busy.values())
        for name in ("", "east", "west"):
            assert in_use.count(name) <= width
            assert in_use.count(name) == width or name not in waits.values()
        assert lanes.waiting == len(waits)
