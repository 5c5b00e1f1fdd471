"""Rings and cards: what fits where devices of one node are not alike."""

from itertools import product

import numpy as np
import pytest

from sampan.model.job import Share
from sampan.model.members.accelerator import CountRule, Span
from sampan.scheduling.capacity.topology import cards_fit, ring_table, rings_fit, take_cards, worst_rings_fit

RULE = CountRule(group_size=4)


@pytest.mark.parametrize(
    ("rings", "count", "want"),
    [((2, 2), 4, 0), ((4, 0), 4, 1), ((4, 4), 8, 1), ((4, 3), 8, 0), ((3, 2), 2, 2), ((3, 3), 1, 6)],
)
def test_a_replica_never_straddles_rings(rings: tuple[int, ...], count: int, want: int) -> None:
    assert rings_fit(rings, count, RULE) == want


def test_more_than_a_ring_needs_a_rule_that_allows_it() -> None:
    assert rings_fit((4, 4), 8, CountRule(group_size=4, span=Span.NEVER)) == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("free", range(9))
def test_unknown_rings_are_as_bad_as_they_can_be(free: int, count: int) -> None:
    spread = [rings for rings in product(range(5), repeat=2) if sum(rings) == free]
    want = min(rings_fit(rings, count, RULE) for rings in spread)
    assert worst_rings_fit(free, 2, count=count, group=4, spans=True) == want


def test_rings_that_do_not_sum_to_what_is_free_are_not_believed() -> None:
    known, doubted = ring_table((4, 0), 4, groups=2, rule=RULE), ring_table((4, 4), 4, groups=2, rule=RULE)
    assert (int(known[4]), int(doubted[4])) == (1, 0)


CARDS = np.array([[80, 100, 4], [40, 50, 4], [10, 10, 0]], dtype=np.int64)


@pytest.mark.parametrize(
    ("share", "count", "want"),
    [(Share(memory=40), 1, 3), (Share(memory=30, compute_percent=50), 1, 3), (Share(memory=10), 2, 1), (Share(memory=90), 1, 0)],
)
def test_shares_fit_card_by_card(share: Share, count: int, want: int) -> None:
    assert cards_fit(CARDS, share, count) == want


def test_a_share_goes_to_the_fullest_card_that_suffices() -> None:
    left = take_cards(CARDS, Share(memory=30, compute_percent=50), 1)
    assert left.tolist() == [[80, 100, 4], [10, 0, 3], [10, 10, 0]]
    assert CARDS[1].tolist() == [40, 50, 4]
