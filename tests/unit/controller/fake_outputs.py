"""What keeps jobs' output, as a fake that remembers when it was asked. No assertion here."""

from collections.abc import Callable, Iterable
from typing import Any

from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client


class FakeOutputs:
    """Remembers of which attempts the output was to be kept, and what the member still had then."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, tuple[str, ...]]] = []
        self.before: Callable[[], list[Any]] = list
        self.found: list[list[Any]] = []
        """What `before` found each time."""

    async def keep(self, client: Client, record: JobRecord, pods: Iterable[Pod]) -> None:
        assert record.binding is not None
        if not self.kept:
            self.found.append(self.before())
        self.kept.append((record.uid, record.binding.attempt, tuple(pod.metadata.name for pod in pods)))
