"""Starts again the components that have ended: on a loaded machine one of them gives up where another is slow to answer.

Never here: the first start of a control plane, or what is waited for.
"""

from collections import Counter
from collections.abc import Iterable

from sampan.local.binaries import Binaries, Say
from sampan.local.cluster import Cluster
from sampan.local.paths import LocalError

LIMIT = 3
"""So often is a cluster's set of components completed while one command runs; what still ends has another cause than the machine's load."""
_OTHERS_NEED = frozenset({"etcd", "kube-apiserver"})


class Restarts:
    """Looks after clusters while one command runs. Different clusters may be looked after in different threads."""

    def __init__(self, binaries: Binaries, say: Say, *, way_out: str) -> None:
        """`way_out` ends the error: what the user may do."""
        self._binaries, self.say, self._way_out = binaries, say, way_out
        self._done: Counter[str] = Counter()

    def look_after(self, clusters: Iterable[Cluster]) -> bool:
        """Starts what has ended, returns when the API server answers, and tells whether anything had.

        Raises LocalError with its last words where it ends again after LIMIT starts.
        """
        before = self._done.total()
        for cluster in clusters:
            ended = cluster.ended()
            if not ended:
                continue
            told = "; ".join(f"{component} of {cluster.name} ended: {cluster.last_words(component)}" for component in ended)
            if self._done[cluster.name] == LIMIT:
                raise LocalError(f"{told}; started {LIMIT} times again, in vain; {self._way_out}")
            self._done[cluster.name] += 1
            self.say(f"{told}; starting it again ({self._done[cluster.name]} of {LIMIT})")
            cluster.start_ended(self._binaries)
            if not _OTHERS_NEED.isdisjoint(ended):
                cluster.wait_ready(self._binaries)
        return self._done.total() > before
