"""Queues: without any word a queue lets everything pass and has used nothing."""

from sampan.model.queues import Queue, QueueUse


def test_a_bare_queue_limits_nothing() -> None:
    queue = Queue(name="research")
    assert queue.highest_priority is None
    assert queue.policies == ()
    assert queue.default_run_seconds is None


def test_unused_queues_have_no_use() -> None:
    assert QueueUse().total == sum(QueueUse().namespaces.values()) == 0
