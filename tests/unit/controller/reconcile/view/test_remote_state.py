"""Of a copy, nothing is taken for known."""

from sampan.controller.reconcile.view.remote_state import RemoteState


def test_nothing_is_known_of_a_copy_unless_somebody_said_so() -> None:
    """The defaults must never free a job or count as proof."""
    nothing = RemoteState()
    assert nothing.offer_exists
    assert not any((nothing.reachable, nothing.absent, nothing.seen_before, nothing.offer_draining))
