"""Which jobs have a binding to which member and by which offer, ended ones included: an index, kept at each change of a job."""

from collections.abc import Sequence
from typing import TypeVar

from sampan.api.status.job_status import Binding
from sampan.model.members.offer import OfferKey

K = TypeVar("K")


class BindingIndex:
    """Job UIDs by member and by offer, in order of their binding."""

    def __init__(self) -> None:
        """Start empty."""
        self._of: dict[str, Binding] = {}
        self._clusters: dict[str, dict[str, None]] = {}
        self._offers: dict[OfferKey, dict[str, None]] = {}

    def update(self, uid: str, binding: Binding | None) -> None:
        """Take in a job's binding as it is now; None: it has none, or is gone."""
        known = self._of.get(uid)
        if known is not None and (binding is None or (binding.cluster_uid, binding.offer) != (known.cluster_uid, known.offer)):
            self._drop(uid, known)
        if binding is not None:
            self._of[uid] = binding
            self._clusters.setdefault(binding.cluster_uid, {})[uid] = None
            self._offers.setdefault(binding.offer, {})[uid] = None

    def of_member(self, cluster_uid: str) -> Sequence[str]:
        """Return the jobs bound to a member."""
        return tuple(self._clusters.get(cluster_uid, ()))

    def of_offer(self, offer: OfferKey) -> Sequence[str]:
        """Return the jobs bound by an offer."""
        return tuple(self._offers.get(offer, ()))

    def _drop(self, uid: str, known: Binding) -> None:
        del self._of[uid]
        _discard(self._clusters, known.cluster_uid, uid)
        _discard(self._offers, known.offer, uid)


def _discard(index: dict[K, dict[str, None]], key: K, uid: str) -> None:
    del index[key][uid]
    if not index[key]:
        del index[key]
