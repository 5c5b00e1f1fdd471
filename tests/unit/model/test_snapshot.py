"""Snapshots: frozen, and usable with nothing in them."""

from dataclasses import FrozenInstanceError

import pytest

from sampan.model.snapshot import Snapshot


def test_a_picture_cannot_be_changed() -> None:
    world = Snapshot(now=1)
    with pytest.raises(FrozenInstanceError):
        world.now = 2  # type: ignore[misc]


def test_an_empty_world_has_a_limit_and_nothing_else() -> None:
    world = Snapshot(now=1)
    assert (world.jobs, world.cells, dict(world.offers)) == ((), (), {})
    assert world.limit > 0
