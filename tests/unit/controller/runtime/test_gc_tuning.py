"""How often garbage is looked for."""

import gc
from collections.abc import Iterator
from weakref import ref

import pytest

from sampan.controller.runtime.gc_tuning import OLD, freeze


class Circle:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the collector as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_was_loaded_is_out_of_sight_and_what_lasts_is_looked_at_seldom() -> None:
    before = gc.get_freeze_count()
    freeze()
    assert gc.get_freeze_count() > before
    assert gc.get_threshold()[2] == OLD > 10


def test_circles_that_came_later_are_still_found_when_asked_for() -> None:
    freeze()
    lost = ref(Circle())
    gc.collect()
    assert lost() is None
