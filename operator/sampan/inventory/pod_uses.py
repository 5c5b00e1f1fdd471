"""The pods that use nodes of one member, by pod, by node and by job of ours; and what of a pod counts as use. No I/O."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sampan.catalog.devices.in_use import allocated_cards, allocated_devices
from sampan.inventory.in_flight import PodUse
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.requests import request_of
from sampan.model.values.names import LABEL_HUB, LABEL_JOB_UID

_ENDED: Final = ("Succeeded", "Failed")


def job_uid_of(labels: Mapping[str, str], hub_id: str) -> str | None:
    """Return the ComputeJob whose copy carries these labels; None where they do not name exactly this hub."""
    return labels.get(LABEL_JOB_UID) or None if labels.get(LABEL_HUB) == hub_id else None


def use_of(pod: kube.Pod, hub_id: str) -> PodUse | None:
    """Return what a pod uses of its node; None where it has none yet, or has ended."""
    if not pod.spec.node_name or pod.status.phase in _ENDED or not pod.metadata.uid:
        return None
    annotations = pod.metadata.annotations
    return PodUse(
        uid=pod.metadata.uid,
        namespace=pod.metadata.namespace,
        node=pod.spec.node_name,
        request=request_of(pod),
        job_uid=job_uid_of(pod.metadata.labels, hub_id),
        cards=allocated_cards(annotations) if annotations else (),
        devices=allocated_devices(annotations) if annotations else (),
    )


def waits(pod: kube.Pod, hub_id: str) -> bool:
    """Tell whether a pod of somebody else still waits for a node."""
    ended = pod.status.phase in _ENDED or pod.metadata.deletion_timestamp is not None
    return not pod.spec.node_name and not ended and job_uid_of(pod.metadata.labels, hub_id) is None


class PodUses:
    """Uses of nodes by pod UID, with an index by node and one by job."""

    def __init__(self) -> None:
        """Start without any."""
        self._by_uid: dict[str, PodUse] = {}
        self._on: dict[str, dict[str, PodUse]] = {}
        self._of: dict[str, dict[str, PodUse]] = {}

    @property
    def by_uid(self) -> Mapping[str, PodUse]:
        """Uses by pod UID, live."""
        return MappingProxyType(self._by_uid)

    def on(self, node: str) -> tuple[PodUse, ...]:
        """Return the uses of a node."""
        return tuple(self._on.get(node, {}).values())

    def of(self, job_uid: str) -> tuple[PodUse, ...]:
        """Return the uses by one of our jobs, on whatever node."""
        return tuple(self._of.get(job_uid, {}).values())

    def replace(self, fresh: Mapping[str, PodUse]) -> set[str]:
        """Take all uses anew, by pod UID; returns the nodes on which any changed."""
        changed = {use.node for uid, use in fresh.items() if self._by_uid.get(uid) != use}
        changed |= {use.node for uid, use in self._by_uid.items() if fresh.get(uid) != use}
        for index in (self._by_uid, self._on, self._of):
            index.clear()
        for use in fresh.values():
            self.add(use)
        return changed

    def add(self, use: PodUse) -> None:
        """Take the use of a pod that has none yet."""
        self._by_uid[use.uid] = use
        self._on.setdefault(use.node, {})[use.uid] = use
        if use.job_uid is not None:
            self._of.setdefault(use.job_uid, {})[use.uid] = use

    def remove(self, uid: str) -> PodUse | None:
        """Drop the use of a pod, and return it where there was one."""
        old = self._by_uid.pop(uid, None)
        if old is not None:
            _take_out(self._on, old.node, uid)
            if old.job_uid is not None:
                _take_out(self._of, old.job_uid, uid)
        return old


def _take_out(index: dict[str, dict[str, PodUse]], key: str, uid: str) -> None:
    del index[key][uid]
    if not index[key]:
        del index[key]
