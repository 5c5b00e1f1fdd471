"""What a hub still holds on members, read from its ComputeJobs: who is bound, who is settling, which copies exist.

What must never live here: calls, clocks and printing. Objects are plain mappings as the API server sends them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sampan.model.lifecycle import Phase
from sampan.model.values.names import FINALIZER, LABEL_JOB_UID

Object = Mapping[str, Any]

SETTLING = timedelta(seconds=60)
"""For so long after its end a job's copy may still be there: the operator's tombstone time (30 s) and the deletion after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCopy:
    """The copy of a job on a member, as the job's binding names it."""

    job: str
    job_uid: str
    phase: str
    offer: str
    cluster_uid: str
    namespace: str
    name: str

    def line(self) -> str:
        """One line for a person who goes to that member with kubectl."""
        where = f"cluster {self.cluster_uid} (offer {self.offer}), namespace {self.namespace}, Job {self.name}"
        return f"{self.job} ({self.phase}): {where}, label {LABEL_JOB_UID}={self.job_uid}"


def key_of(item: Object) -> str:
    """`namespace/name`."""
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def binding_of(job: Object) -> Object:
    """`status.binding`; empty where there is none."""
    return (job.get("status") or {}).get("binding") or {}


def phase_of(job: Object) -> str:
    """`status.phase`; Pending for a job nobody has looked at."""
    return str((job.get("status") or {}).get("phase") or Phase.PENDING)


def is_bound(job: Object) -> bool:
    """Tell whether an attempt of the job may run on a member now: bound, and not ended."""
    return bool(binding_of(job)) and phase_of(job) not in {phase for phase in Phase if phase.ended}


def has_finalizer(item: Object) -> bool:
    """Tell whether our finalizer is on the object."""
    return FINALIZER in (item["metadata"].get("finalizers") or ())


def is_leaving(item: Object) -> bool:
    """Tell whether somebody has deleted the object and it waits for our clean-up."""
    return bool(item["metadata"].get("deletionTimestamp")) and has_finalizer(item)


def is_settling(job: Object, now: datetime) -> bool:
    """Tell whether the job ended so recently that the operator may not have removed its copy yet. `now` is aware."""
    if not binding_of(job) or is_bound(job):
        return False
    try:
        ended = datetime.fromisoformat((job.get("status") or {}).get("finishedAt") or "")
    except ValueError:
        return False
    return timedelta(0) <= now - ended < SETTLING


def is_busy(job: Object, now: datetime) -> bool:
    """Tell whether a drain has to wait for the job."""
    return is_bound(job) or is_leaving(job) or is_settling(job, now)


def copies(jobs: Iterable[Object], now: datetime) -> list[BoundCopy]:
    """What may be on members for these jobs, in the order of job names: all but what ended long enough ago to be gone."""
    found = [_copy(job) for job in jobs if binding_of(job) and is_busy(job, now)]
    return sorted(found, key=lambda copy: (copy.job, copy.job_uid))


def _copy(job: Object) -> BoundCopy:
    binding = binding_of(job)
    offer, remote = binding.get("offer") or {}, binding.get("remote") or {}
    return BoundCopy(
        job=key_of(job),
        job_uid=job["metadata"].get("uid", ""),
        phase=phase_of(job),
        offer=f"{offer.get('namespace', '?')}/{offer.get('name', '?')}",
        cluster_uid=binding.get("clusterUID", "?"),
        namespace=remote.get("namespace", "?"),
        name=remote.get("name", "?"),
    )
