"""Our own Jobs and pods on one member, by the ComputeJob they are copies of, the Jobs also by attempt. Filled by the link's watches.

A copy and its pods are known by (job, member, namespace, attempt): of one job several attempts may be seen on one member, and copies on
several members, because a create or a delete may be carried out late. News of one says nothing of another, and least of all news of what
has the labels of a copy in a namespace that the job is not bound to.

No I/O and no clock. An object counts as ours only if its labels name exactly this hub, and a Job only under the one name that its
ComputeJob's copy has: what merely pretends to be ours is not seen.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sampan.controller.members.own_pods import OwnPods
from sampan.controller.observation.pod_tally import PodTally
from sampan.inventory.pod_uses import job_uid_of
from sampan.kube.objects import workloads as kube
from sampan.kube.objects.meta import ObjectMeta
from sampan.model.status.attempt import Binding
from sampan.model.values.names import LABEL_ATTEMPT, remote_name

MAX_ENDED: Final = 256
"""Jobs that went with a result and were looked at by nobody yet; of more the oldest are forgotten."""

Place = tuple[int, str]
"""Attempt and namespace."""


def attempt_of(labels: Mapping[str, str]) -> int:
    """Return the attempt a label names, 0 where it names none."""
    text = labels.get(LABEL_ATTEMPT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else 0


def attempt_beside(copy: kube.Job, binding: Binding) -> int:
    """Return the attempt a copy counts as beside a binding: the UID that the hub recorded outweighs a label, which the member can write.

    Once a UID is recorded, another object whose label names the bound attempt is none of ours: it counts as 0, older than any.
    """
    if binding.remote_uid is not None and copy.metadata.uid == binding.remote_uid:
        return binding.attempt
    named = attempt_of(copy.metadata.labels)
    return 0 if binding.remote_uid is not None and named == binding.attempt else named


class UnreadableNames:
    """Names of our objects that could not be decoded: they are there all the same."""

    def __init__(self, hub_id: str) -> None:
        """Start empty."""
        self._hub_id = hub_id
        self._names: dict[tuple[str, str], frozenset[str]] = {}

    def replace(self, kind: str, namespace: str, names: Iterable[str]) -> frozenset[str]:
        """Take those that a full list has."""
        self._names[kind, namespace] = frozenset(names)
        return self._names[kind, namespace]

    def forget(self, kind: str, meta: ObjectMeta) -> None:
        """Forget one that is gone, or can be read now."""
        self.forget_name(kind, meta.namespace, meta.name)

    def forget_name(self, kind: str, namespace: str, name: str) -> None:
        """Forget one that is gone."""
        known = self._names.get((kind, namespace), frozenset())
        if name in known:
            self._names[kind, namespace] = known - {name}

    def has(self, job_uid: str) -> bool:
        """Tell whether there is a Job or a pod of a ComputeJob, by the name that it has."""
        if not any(self._names.values()):
            return False
        name = remote_name(self._hub_id, job_uid)
        return any(each == name or each.startswith(f"{name}-") for names in self._names.values() for each in names)


class PodCopies:
    """Our pods of all phases on one member, filled by the watch of pods."""

    def __init__(self, hub_id: str, unreadable: UnreadableNames, changed: Callable[[str], None]) -> None:
        """Start empty. `changed` is told the UID of the ComputeJob, after the change."""
        self._known = OwnPods()
        self._hub_id, self._unreadable, self._changed = hub_id, unreadable, changed

    @property
    def by_job(self) -> dict[str, dict[str, kube.Pod]]:
        """Return them by the UID of the ComputeJob and their own, of all attempts: live, to be read."""
        return self._known.by_job

    def of(self, job_uid: str, namespace: str) -> tuple[kube.Pod, ...]:
        """Return the pods of a job in a namespace: elsewhere on the member anybody may make pods with its labels."""
        return tuple(pod for pod in self.by_job.get(job_uid, {}).values() if pod.metadata.namespace == namespace)

    def tallies(self, job_uid: str, namespace: str) -> Mapping[str, PodTally]:
        """Return the pods of a job in a namespace, counted by the attempt that their label names."""
        return self._known.tallies(job_uid, namespace)

    def replace(self, namespace: str, pods: Iterable[kube.Pod], unreadable: Iterable[str] = ()) -> None:
        """Take a full list of a namespace's pods that carry our label; `unreadable` names those that could not be decoded."""
        there = self._unreadable.replace("pods", namespace, unreadable)
        fresh: dict[str, dict[str, kube.Pod]] = {}
        for pod in pods:
            uid = job_uid_of(pod.metadata.labels, self._hub_id)
            if uid is not None:
                fresh.setdefault(uid, {})[pod.metadata.uid] = pod
        for uid in fresh.keys() | set(self.by_job):
            known = self.by_job.get(uid, {})
            kept = {key: pod for key, pod in known.items() if pod.metadata.namespace != namespace or pod.metadata.name in there}
            if self._known.replace(uid, kept | fresh.get(uid, {})):
                self._changed(uid)

    def apply(self, pod: kube.Pod) -> None:
        """Take one of our pods."""
        uid = job_uid_of(pod.metadata.labels, self._hub_id)
        if uid is not None:
            self._known.put(uid, pod)
            self._changed(uid)

    def drop(self, pod: kube.Pod) -> None:
        """Forget one of our pods."""
        self._unreadable.forget("pods", pod.metadata)
        uid = job_uid_of(pod.metadata.labels, self._hub_id)
        if uid is not None and self._known.drop(uid, pod.metadata.uid):
            self._changed(uid)

    def drop_unreadable(self, namespace: str, name: str) -> None:
        """Forget a pod that went without being readable."""
        self._unreadable.forget_name("pods", namespace, name)
        for pod in [pod for pods in self.by_job.values() for pod in pods.values() if pod.metadata.key == f"{namespace}/{name}"]:
            self.drop(pod)


class JobCopies:
    """What one member holds of us.

    `jobs` has our Jobs by the UID of their ComputeJob and then by attempt (0 where the label names none) and namespace. It is to be read;
    `put` takes an API server's answer, which an older event does not undo.
    """

    def __init__(self, hub_id: str, changed: Callable[[str], None]) -> None:
        """Start empty. `changed` is told the UID of the ComputeJob whose Job or pods changed, after the change; it must not block."""
        self.jobs: dict[str, dict[Place, kube.Job]] = {}
        self.ended_jobs: dict[tuple[str, str], kube.Job] = {}
        """By job and namespace the last picture of its latest copy that went after its result was told, for the one who takes it out."""
        self.hub_id = hub_id
        self._changed = changed
        self._unreadable = UnreadableNames(hub_id)
        self.pods = PodCopies(hub_id, self._unreadable, changed)

    def of(self, job_uid: str) -> Mapping[Place, kube.Job]:
        """Return the copies of a job by attempt and namespace."""
        return self.jobs.get(job_uid, {})

    def current(self, job_uid: str, binding: Binding) -> kube.Job | None:
        """Return the copy of the bound attempt: by the UID that the hub recorded; while there is none, by label, in its namespace only."""
        copies = self.of(job_uid)
        if binding.remote_uid is None:
            return copies.get((binding.attempt, binding.namespace))
        return next((job for job in copies.values() if job.metadata.uid == binding.remote_uid), None)

    def has_remnants(self, job_uid: str) -> bool:
        """Tell whether a Job or a pod of this ComputeJob was seen and is not known to be gone, of any attempt.

        An object that could not be read is there all the same: its name tells whose it is. A Job from which somebody took our
        labels is not seen here: only a GET by name proves a Job gone.
        """
        return job_uid in self.jobs or job_uid in self.pods.by_job or self._unreadable.has(job_uid)

    def replace_jobs(self, namespace: str, jobs: Iterable[kube.Job], unreadable: Iterable[str] = ()) -> None:
        """Take a full list of a namespace's Jobs that carry our label; `unreadable` names those that could not be decoded."""
        there = self._unreadable.replace("jobs", namespace, unreadable)
        listed = [job for job in jobs if self._our_job(job) is not None]
        uids = {job.metadata.uid for job in listed}
        for job in self._in_namespace(namespace):
            if job.metadata.uid not in uids and job.metadata.name not in there:
                self.drop_job(job)
        for job in listed:
            self.apply_job(job)

    def apply_job(self, job: kube.Job) -> None:
        """Take one Job; one that only pretends to be ours is ignored, and so is an older picture of one that is known."""
        uid = self._our_job(job)
        if uid is None or any(_is_older(job, known) for known in self.of(uid).values()):
            return
        self._store(uid, attempt_of(job.metadata.labels), job)
        key = uid, job.metadata.namespace
        ended = self.ended_jobs.get(key)
        if ended is not None and attempt_of(ended.metadata.labels) <= attempt_of(job.metadata.labels):
            del self.ended_jobs[key]
        self._changed(uid)

    def put(self, job_uid: str, attempt: int, job: kube.Job) -> kube.Job:
        """Take an API server's answer about the copy of an attempt, unless an event has told more of it. Returns what is known now."""
        newer = next((known for known in self.of(job_uid).values() if _is_older(job, known)), None)
        if newer is not None:
            return newer
        self._store(job_uid, attempt, job)
        return job

    def forget(self, job_uid: str, object_uid: str) -> None:
        """Forget a copy that an API server's answer showed to be gone, or not to be ours."""
        copies = self.jobs.get(job_uid, {})
        for place in [place for place, job in copies.items() if job.metadata.uid == object_uid]:
            del copies[place]
        if not copies:
            self.jobs.pop(job_uid, None)

    def drop_job(self, job: kube.Job) -> None:
        """Forget a Job, and no other of its name."""
        uid = self._our_job(job)
        self._unreadable.forget("jobs", job.metadata)
        known = next((each for each in self.of(uid).values() if each.metadata.uid == job.metadata.uid), None) if uid is not None else None
        if uid is not None and known is not None:
            self.forget(uid, job.metadata.uid)
            self._keep_result(uid, max(job, known, key=_version))
            self._changed(uid)

    def _store(self, job_uid: str, attempt: int, job: kube.Job) -> None:
        self.forget(job_uid, job.metadata.uid)  # its label may have named another attempt before
        self.jobs.setdefault(job_uid, {})[attempt, job.metadata.namespace] = job

    def _keep_result(self, uid: str, last: kube.Job) -> None:
        """Whoever cleans up finished Jobs (a TTL that a webhook sets, a janitor) may be faster than whoever mirrors them."""
        key = uid, last.metadata.namespace
        kept = self.ended_jobs.get(key)
        if kept is not None and attempt_of(kept.metadata.labels) > attempt_of(last.metadata.labels):
            return
        if any(c.type in ("Complete", "Failed") and c.status == "True" for c in last.status.conditions):
            self.ended_jobs[key] = last
            while len(self.ended_jobs) > MAX_ENDED:
                del self.ended_jobs[next(iter(self.ended_jobs))]

    def drop_unreadable_job(self, namespace: str, name: str) -> None:
        """Forget a Job that went without being readable."""
        self._unreadable.forget_name("jobs", namespace, name)
        for job in self._in_namespace(namespace):
            if job.metadata.name == name:
                self.drop_job(job)

    def has_any_in(self, namespace: str) -> bool:
        """Tell whether a Job or a pod of ours is known in a namespace."""
        pods = (pod for known in self.pods.by_job.values() for pod in known.values())
        return bool(self._in_namespace(namespace)) or any(pod.metadata.namespace == namespace for pod in pods)

    def forget_namespace(self, namespace: str) -> None:
        """Drop what was seen in a namespace that is no longer watched."""
        self.replace_jobs(namespace, ())
        self.pods.replace(namespace, ())

    def _in_namespace(self, namespace: str) -> list[kube.Job]:
        return [job for copies in self.jobs.values() for job in copies.values() if job.metadata.namespace == namespace]

    def _our_job(self, job: kube.Job) -> str | None:
        uid = job_uid_of(job.metadata.labels, self.hub_id)
        return uid if uid is not None and job.metadata.name == remote_name(self.hub_id, uid) else None


def _is_older(job: kube.Job, known: kube.Job) -> bool:
    """Tell whether a picture says nothing new about the very object that is known."""
    return known.metadata.uid == job.metadata.uid and _version(job) <= _version(known)


def _version(job: kube.Job) -> int:
    text = job.metadata.resource_version
    return int(text) if text.isdecimal() else 0
