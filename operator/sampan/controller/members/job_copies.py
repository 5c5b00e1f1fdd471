"""Our own Jobs and pods on one member, by the ComputeJob they are copies of. Filled by the link's watches.

No I/O and no clock. An object counts as ours only if its labels name exactly this hub, and a Job only under the one name that its
ComputeJob's copy has: what merely pretends to be ours is not seen.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sampan.controller.members.own_pods import OwnPods
from sampan.controller.observation.pod_tally import PodTally
from sampan.inventory.member import job_uid_of
from sampan.kube.objects import workloads as kube
from sampan.model.values.names import LABEL_ATTEMPT, remote_name

MAX_ENDED: Final = 256
"""Jobs that went with a result and were looked at by nobody yet; of more the oldest are forgotten."""


def attempt_of(labels: Mapping[str, str]) -> int:
    """Return the attempt a label names, 0 where it names none."""
    text = labels.get(LABEL_ATTEMPT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


class JobCopies:
    """What one member holds of us.

    `jobs` has our Jobs by the UID of their ComputeJob, `own_pods` our pods of all phases by the same and then by pod UID. Both are
    live. A writer may put the API server's answer into `jobs`: an older event does not undo it.
    """

    def __init__(self, hub_id: str, changed: Callable[[str], None]) -> None:
        """Start empty. `changed` is told the UID of the ComputeJob whose Job or pods changed, after the change; it must not block."""
        self.jobs: dict[str, kube.Job] = {}
        self.ended_jobs: dict[str, kube.Job] = {}
        """The last picture of Jobs that went after their result was told, for the one who takes it out."""
        self._pods = OwnPods()
        self.hub_id = hub_id
        self._changed = changed
        self._unreadable: dict[tuple[str, str], frozenset[str]] = {}

    @property
    def own_pods(self) -> dict[str, dict[str, kube.Pod]]:
        """Return our pods by the UID of their ComputeJob and their own, live."""
        return self._pods.by_job

    def tallies(self, job_uid: str) -> Mapping[str, PodTally]:
        """Return our pods of a ComputeJob, counted by the attempt that their label names."""
        return self._pods.tallies(job_uid)

    def has_remnants(self, job_uid: str) -> bool:
        """Tell whether a Job or a pod of this ComputeJob was seen and is not known to be gone, of any attempt.

        An object that could not be read is there all the same: its name tells whose it is. A Job from which somebody took our
        labels is not seen here: only a GET by name proves a Job gone.
        """
        return job_uid in self.jobs or job_uid in self.own_pods or self._unreadable_of(job_uid)

    def replace_jobs(self, namespace: str, jobs: Iterable[kube.Job], unreadable: Iterable[str] = ()) -> None:
        """Take a full list of a namespace's Jobs that carry our label; `unreadable` names those that could not be decoded."""
        there = self._unreadable["jobs", namespace] = frozenset(unreadable)
        listed = [job for job in jobs if self._our_job(job) is not None]
        uids = {job.metadata.uid for job in listed}
        known = [job for job in self.jobs.values() if job.metadata.namespace == namespace]
        for job in known:
            if job.metadata.uid not in uids and job.metadata.name not in there:
                self.drop_job(job)
        for job in listed:
            self.apply_job(job)

    def apply_job(self, job: kube.Job) -> None:
        """Take one Job; one that only pretends to be ours is ignored, and so is an older picture of one that is known."""
        uid = self._our_job(job)
        if uid is None or self._older(job, self.jobs.get(uid)):
            return
        self.jobs[uid] = job
        self.ended_jobs.pop(uid, None)
        self._changed(uid)

    def drop_job(self, job: kube.Job) -> None:
        """Forget a Job, unless another of its name has come since."""
        uid = self._our_job(job)
        self._forget_unreadable("jobs", job.metadata.namespace, job.metadata.name)
        known = self.jobs.get(uid) if uid is not None else None
        if uid is not None and known is not None and known.metadata.uid == job.metadata.uid:
            del self.jobs[uid]
            self._keep_result(uid, max(job, known, key=_version))
            self._changed(uid)

    def _keep_result(self, uid: str, last: kube.Job) -> None:
        """Whoever cleans up finished Jobs (a TTL that a webhook sets, a janitor) may be faster than whoever mirrors them."""
        if any(c.type in ("Complete", "Failed") and c.status == "True" for c in last.status.conditions):
            self.ended_jobs[uid] = last
            while len(self.ended_jobs) > MAX_ENDED:
                del self.ended_jobs[next(iter(self.ended_jobs))]

    def drop_unreadable_job(self, namespace: str, name: str) -> None:
        """Forget a Job that went without being readable."""
        self._forget_unreadable("jobs", namespace, name)
        for job in [job for job in self.jobs.values() if (job.metadata.namespace, job.metadata.name) == (namespace, name)]:
            self.drop_job(job)

    def replace_own_pods(self, namespace: str, pods: Iterable[kube.Pod], unreadable: Iterable[str] = ()) -> None:
        """Take a full list of a namespace's pods that carry our label; `unreadable` names those that could not be decoded."""
        there = self._unreadable["pods", namespace] = frozenset(unreadable)
        fresh: dict[str, dict[str, kube.Pod]] = {}
        for pod in pods:
            uid = job_uid_of(pod.metadata.labels, self.hub_id)
            if uid is not None:
                fresh.setdefault(uid, {})[pod.metadata.uid] = pod
        for uid in fresh.keys() | set(self.own_pods):
            known = self.own_pods.get(uid, {})
            kept = {key: pod for key, pod in known.items() if pod.metadata.namespace != namespace or pod.metadata.name in there}
            if self._pods.replace(uid, kept | fresh.get(uid, {})):
                self._changed(uid)

    def apply_own_pod(self, pod: kube.Pod) -> None:
        """Take one of our pods."""
        uid = job_uid_of(pod.metadata.labels, self.hub_id)
        if uid is not None:
            self._pods.put(uid, pod)
            self._changed(uid)

    def drop_own_pod(self, pod: kube.Pod) -> None:
        """Forget one of our pods."""
        self._forget_unreadable("pods", pod.metadata.namespace, pod.metadata.name)
        uid = job_uid_of(pod.metadata.labels, self.hub_id)
        if uid is not None and self._pods.drop(uid, pod.metadata.uid):
            self._changed(uid)

    def drop_unreadable_pod(self, namespace: str, name: str) -> None:
        """Forget a pod that went without being readable."""
        self._forget_unreadable("pods", namespace, name)
        for pod in [pod for pods in self.own_pods.values() for pod in pods.values() if pod.metadata.key == f"{namespace}/{name}"]:
            self.drop_own_pod(pod)

    def forget_namespace(self, namespace: str) -> None:
        """Drop what was seen in a namespace that is no longer watched."""
        self.replace_jobs(namespace, ())
        self.replace_own_pods(namespace, ())

    def _our_job(self, job: kube.Job) -> str | None:
        uid = job_uid_of(job.metadata.labels, self.hub_id)
        return uid if uid is not None and job.metadata.name == remote_name(self.hub_id, uid) else None

    @staticmethod
    def _older(job: kube.Job, known: kube.Job | None) -> bool:
        if known is None:
            return False
        if known.metadata.uid == job.metadata.uid:
            return _version(job) <= _version(known)
        return known.metadata.namespace != job.metadata.namespace and attempt_of(known.metadata.labels) > attempt_of(job.metadata.labels)

    def _forget_unreadable(self, kind: str, namespace: str, name: str) -> None:
        known = self._unreadable.get((kind, namespace), frozenset())
        if name in known:
            self._unreadable[kind, namespace] = known - {name}

    def _unreadable_of(self, job_uid: str) -> bool:
        if not any(self._unreadable.values()):
            return False
        name = remote_name(self.hub_id, job_uid)
        return any(each == name or each.startswith(f"{name}-") for names in self._unreadable.values() for each in names)


def _version(job: kube.Job) -> int:
    text = job.metadata.resource_version
    return int(text) if text.isdecimal() else 0
