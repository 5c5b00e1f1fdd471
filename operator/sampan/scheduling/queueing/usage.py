"""What queues and namespaces have used, for their weight: the keys of fair share. Who comes next is in `iterator`."""

from collections.abc import Mapping

from sampan.model.job import Job
from sampan.model.queues import Queue, QueueUse
from sampan.model.values.quantity import MICRO


class FairShareUsage:
    """What queues and namespaces have used, charges of this cycle included."""

    def __init__(self, queues: Mapping[str, Queue], use: Mapping[str, QueueUse]) -> None:
        self._queues = queues
        self._total: dict[str, int] = {}
        self._namespaces = {(name, each): used for name, own in use.items() for each, used in own.namespaces.items()}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._weighted: dict[str, dict[str, tuple[int, ...]]] = {}
        """By the topmost queue: a charge changes nothing for queues that have another."""
        self._charges: dict[str, int] = {}
        for name, own in use.items():
            for queue in self.path(name):
                self._total[queue] = self._total.get(queue, 0) + own.total

    def path(self, name: str) -> tuple[str, ...]:
        """Return the queue with its parents, topmost first; a circle of parents ends where it would repeat."""
        if name not in self._paths:
            path, at = [name], self._queues.get(name)
            while at is not None and at.parent is not None and at.parent not in path:
                path.append(at.parent)
                at = self._queues.get(at.parent)
            self._paths[name] = tuple(reversed(path))
        return self._paths[name]

    def weighted(self, name: str) -> tuple[int, ...]:
        """Return what the queue and its parents used for their weight, topmost first."""
        path = self.path(name)
        known = self._weighted.setdefault(path[0], {})
        if name not in known:
            known[name] = tuple(self._total.get(each, 0) * MICRO // self._weight(each) for each in path)
        return known[name]

    def of_namespace(self, queue: str, namespace: str) -> int:
        """Return what a namespace used of a queue."""
        return self._namespaces.get((queue, namespace), 0)

    def charges_of(self, queue: str) -> int:
        """Return how often jobs of a queue were charged: what its namespaces used is the same while this is."""
        return self._charges.get(queue, 0)

    def charge(self, job: Job, amount: int) -> None:
        """Add what a job is charged, decayed forward to the moment."""
        self._charges[job.queue] = self.charges_of(job.queue) + 1
        for queue in self.path(job.queue):
            self._weighted.pop(queue, None)  # in a circle of parents each is the topmost of some
            self._total[queue] = self._total.get(queue, 0) + amount
        key = job.queue, job.namespace
        self._namespaces[key] = self._namespaces.get(key, 0) + amount

    def _weight(self, name: str) -> int:
        queue = self._queues.get(name)
        return max(queue.weight, 1) if queue is not None else MICRO
