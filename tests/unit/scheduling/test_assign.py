"""Picking nodes: small holes first, untouched nodes last, whole gangs only."""

import pytest

from sampan.scheduling.assign import Room, pick


def rooms(*free: int, per_replica: int = 2, size: int = 8) -> list[Room]:
    return [Room(node=f"n{i}", fits=amount // per_replica, free=amount, whole=amount == size) for i, amount in enumerate(free)]


@pytest.mark.parametrize(
    ("free", "wanted", "want"),
    [
        ((8, 4, 2), 1, {"n2": 1}),
        ((8, 4, 2), 2, {"n2": 1, "n1": 1}),
        ((8, 4, 2), 3, {"n2": 1, "n1": 2}),
        ((8, 4, 2), 7, {"n2": 1, "n1": 2, "n0": 4}),
        ((8, 8), 1, {"n0": 1}),
        ((1, 1), 1, None),
        ((8, 4, 2), 8, None),
    ],
)
def test_fewest_sufficient_first(free: tuple[int, ...], wanted: int, want: dict[str, int] | None) -> None:
    fit = pick(rooms(*free), wanted=wanted, least=wanted, per_replica=2)
    assert (dict(fit.nodes) if fit else None) == want


def test_an_untouched_node_is_kept_even_if_smaller() -> None:
    mixed = [Room(node="small", fits=1, free=4, whole=True), Room(node="large", fits=1, free=6, whole=False)]
    fit = pick(mixed, wanted=1, least=1, per_replica=4)
    assert fit is not None
    assert fit.nodes == (("large", 1),)


def test_a_sweep_runs_as_wide_as_fits() -> None:
    fit = pick(rooms(4, 2), wanted=10, least=1, per_replica=2)
    assert fit is not None
    assert fit.replicas == 3


@pytest.mark.parametrize(("free", "want"), [((2,), (100, 0)), ((4,), (50, 2)), ((8,), (25, 6))])
def test_packing_is_the_share_that_is_used(free: tuple[int, ...], want: tuple[int, int]) -> None:
    fit = pick(rooms(*free), wanted=1, least=1, per_replica=2)
    assert fit is not None
    assert (fit.packing, fit.left) == want


def test_a_narrow_sweep_packs_worse_than_a_wide_one() -> None:
    narrow = pick(rooms(2), wanted=4, least=1, per_replica=2)
    wide = pick(rooms(2, 2, 2, 2), wanted=4, least=1, per_replica=2)
    assert narrow is not None
    assert wide is not None
    assert narrow.packing < wide.packing == 100
