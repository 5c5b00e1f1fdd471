"""Which of a job's pods are lost or stuck, and why: read from the pods, and from the member's nodes where they may be seen. Pure.

A pod on a dead node looks alive for ever: nobody is left to say otherwise. What tells is the node itself, or the mark that the
member's node controller leaves on the pod. Never here: what follows; nothing that is said here ends or doubles anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from sampan.controller.observation.failure import disruption, word
from sampan.kube.objects.reasons import PodReason
from sampan.kube.objects.workloads import Pod
from sampan.kube.text import clean_text
from sampan.model.members.cluster import Node
from sampan.model.values.timestamp import from_rfc3339

UNREACHABLE: Final = "node.kubernetes.io/unreachable"
KUBERNETES_OWN: Final = frozenset({"foregroundDeletion", "orphan", "batch.kubernetes.io/job-tracking"})
"""Finalizers that Kubernetes itself takes off."""
MAX_GRACE: Final = 7 * 24 * 3600
"""Seconds of grace that are believed."""
NEW_FOR: Final = 120_000
"""Milliseconds after which the node of a pod is known everywhere."""
_ENDED: Final = ("Succeeded", "Failed")


class ProblemKind(IntEnum):
    """What is wrong with a pod, worst first."""

    NODE_GONE = 0
    """The node object is gone; the member deletes the pod, or somebody must."""
    NODE_UNREACHABLE = 1
    """The kubelet is silent: whether the pod runs nobody knows."""
    NODE_NOT_READY = 2
    """The kubelet says that the node is not in order."""
    FINALIZERS = 3
    """Somebody else's finalizer keeps a deleted pod."""
    TERMINATING = 4
    """Deleted, and not gone yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PodProblem:
    """One pod that is lost or stuck. Times are milliseconds since the epoch by the member's clock."""

    pod: str
    """Its name."""
    uid: str
    node: str
    kind: ProblemKind
    since: int | None = None
    """None where nothing tells."""
    detail: str = ""
    """Clean: the finalizer, or the reason of the deletion."""
    grace: int = 0
    """Milliseconds that a terminating pod may take."""
    report_at: int = 0
    """When it has lasted for long enough to be told, by the hub's clock."""
    young_until: int | None = None
    """Until when the pod's node may be too new to be known."""


def pod_problems(pods: Iterable[Pod], nodes: Mapping[str, Node]) -> tuple[PodProblem, ...]:
    """Return what is wrong with these pods, by pod name. `nodes` are the member's; empty: they may not be seen."""
    found = (pod_problem(pod, nodes) for pod in pods)
    return tuple(sorted((each for each in found if each is not None), key=lambda each: (each.pod, each.uid)))


def is_suspect(pod: Pod) -> bool:
    """Tell whether a pod itself says that something may be wrong with it, whatever its node says."""
    said = pod.status.phase == "Unknown" or pod.status.reason == PodReason.NODE_LOST
    return pod.metadata.deletion_timestamp is not None or said or _marked(pod) is not None


def pod_problem(pod: Pod, nodes: Mapping[str, Node]) -> PodProblem | None:
    """Return what is wrong with a pod; None for one that is in order, or merely waits."""
    meta, name = pod.metadata, pod.spec.node_name
    going = meta.deletion_timestamp is not None
    over = pod.status.phase in _ENDED
    lost = _lost(pod, nodes) if name and not over else None
    if lost is None and not going:
        return None  # by far the most: nothing more is worked out for them
    about = PodProblem(pod=clean_text(meta.name, 48), uid=meta.uid, node=clean_text(name, 48), kind=ProblemKind.TERMINATING)
    if lost is not None:
        why, since = lost
        return replace(about, kind=why, since=since, young_until=_young_until(pod) if why is ProblemKind.NODE_GONE else None)
    foreign = foreign_finalizers(meta.finalizers)
    grace = min(max(meta.deletion_grace_period_seconds or 0, 0), MAX_GRACE) * 1000
    gone_by = from_rfc3339(meta.deletion_timestamp)  # it names the end of the grace
    since = None if gone_by is None else gone_by - grace
    if foreign and (over or not name):
        return replace(about, kind=ProblemKind.FINALIZERS, since=since, detail=foreign)
    target = disruption(pod)
    return replace(about, since=since, detail=word(target.reason) if target else "", grace=grace)


def foreign_finalizers(finalizers: Iterable[str]) -> str:
    """Return the finalizers that Kubernetes does not take off by itself, as words; empty where there are none."""
    return clean_text(", ".join(sorted(set(finalizers) - KUBERNETES_OWN)), 96)


def _lost(pod: Pod, nodes: Mapping[str, Node]) -> tuple[ProblemKind, int | None] | None:
    """Return what is wrong with the node of a pod that has not ended, and since when."""
    node = nodes.get(pod.spec.node_name)
    unknown = pod.status.phase == "Unknown" or pod.status.reason == PodReason.NODE_LOST
    if node is not None and node.ready and not unknown:
        return None
    marked = _marked(pod)
    since = from_rfc3339(marked) if marked is not None else None
    if nodes and node is None:
        return ProblemKind.NODE_GONE, since
    if unknown or (node is None and marked is not None):
        return ProblemKind.NODE_UNREACHABLE, since
    if node is None or node.ready:
        return None
    silent = any(taint.key == UNREACHABLE for taint in node.taints)
    return (ProblemKind.NODE_UNREACHABLE if silent else ProblemKind.NODE_NOT_READY), since


def _young_until(pod: Pod) -> int | None:
    """Return until when the node of a pod may not be known yet: watches come in any order, and a summary is published now and then."""
    times = (from_rfc3339(c.last_transition_time) for c in pod.status.conditions if c.type == "PodScheduled")
    placed = next((at for at in times if at is not None), None)
    return None if placed is None else placed + NEW_FOR


def _marked(pod: Pod) -> str | None:
    """Return since when the node controller says that a pod is not ready which its kubelet last called ready; None where it does not."""
    if pod.status.phase != "Running":
        return None
    ready = next((c for c in pod.status.conditions if c.type == "Ready"), None)
    if ready is None or ready.status != "False":
        return None
    started = any(c.type == "ContainersReady" and c.status == "True" for c in pod.status.conditions)
    return (ready.last_transition_time or "") if started else None
