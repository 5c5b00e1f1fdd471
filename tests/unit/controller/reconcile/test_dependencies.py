"""What the pilot's parts share."""

from sampan.controller.reconcile.dependencies import Counters


def test_counters_start_at_nothing() -> None:
    assert Counters() == Counters(bound=0, created=0, adopted=0, conflicts=0, errors=0, quarantined=0)
