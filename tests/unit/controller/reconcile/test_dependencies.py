"""What the reconciler's parts share."""

from sampan.controller.reconcile.dependencies import ReconcileCounters


def test_counters_start_at_nothing() -> None:
    assert ReconcileCounters() == ReconcileCounters(bound=0, created=0, adopted=0, conflicts=0, errors=0, quarantined=0)
