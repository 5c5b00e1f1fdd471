"""Our pods on one member, by the ComputeJob they are of, and counted by namespace and attempt. No I/O and no clock."""

from collections.abc import Mapping

from sampan.controller.observation.pod_tally import PodTally
from sampan.kube.objects.workloads import Pod
from sampan.model.values.names import LABEL_ATTEMPT


class OwnPods:
    """`by_job` has them by the UID of their ComputeJob and their own; it is live: read it, never change it."""

    def __init__(self) -> None:
        """Start empty."""
        self.by_job: dict[str, dict[str, Pod]] = {}
        self._tallies: dict[tuple[str, str], dict[str, PodTally]] = {}
        """By job and namespace, then by attempt."""

    def tallies(self, job_uid: str, namespace: str) -> Mapping[str, PodTally]:
        """Return the pods of a job in a namespace, counted by the attempt that their label names."""
        return self._tallies.get((job_uid, namespace), {})

    def put(self, job_uid: str, pod: Pod) -> None:
        """Take a pod, or a newer picture of it."""
        self.drop(job_uid, pod.metadata.uid, unless=_attempt(pod))
        self.by_job.setdefault(job_uid, {})[pod.metadata.uid] = pod
        self._tallies.setdefault((job_uid, pod.metadata.namespace), {}).setdefault(_attempt(pod), PodTally()).put(pod)

    def drop(self, job_uid: str, pod_uid: str, *, unless: str | None = None) -> bool:
        """Forget a pod; tell whether it was known. One of the attempt `unless` stays."""
        known = self.by_job.get(job_uid, {}).get(pod_uid)
        if known is None or _attempt(known) == unless:
            return False
        place = job_uid, known.metadata.namespace
        pods, tallies = self.by_job[job_uid], self._tallies[place]
        del pods[pod_uid]
        tallies[_attempt(known)].drop(pod_uid)
        if not tallies[_attempt(known)]:
            del tallies[_attempt(known)]
        if not tallies:
            del self._tallies[place]
        if not pods:
            del self.by_job[job_uid]
        return True

    def replace(self, job_uid: str, pods: Mapping[str, Pod]) -> bool:
        """Have these pods of a job and no others; tell whether that changed anything."""
        known = self.by_job.get(job_uid, {})
        if known == pods:
            return False
        for uid in known.keys() - pods.keys():
            self.drop(job_uid, uid)
        for uid, pod in pods.items():
            if known.get(uid) != pod:
                self.put(job_uid, pod)
        return True


def _attempt(pod: Pod) -> str:
    return pod.metadata.labels.get(LABEL_ATTEMPT, "")
