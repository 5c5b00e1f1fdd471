"""ComputeJob bodies, records and remote copies for tests: good defaults, and only what a test is about is said."""

from typing import Any

import msgspec

from sampan.api.launch.manifest import LABEL_QUEUE
from sampan.api.status.manifest import to_manifest
from sampan.controller.state.record import JobRecord, record_of
from sampan.controller.state.table import JobTable
from sampan.kube.objects.meta import ObjectMeta
from sampan.kube.objects.workloads import Condition, Job, JobSpec
from sampan.kube.objects.workloads import JobStatus as CopyStatus
from sampan.model.members.offer import OfferKey
from sampan.model.status.attempt import Binding
from sampan.model.status.job_status import JobStatus
from sampan.model.values.names import FINALIZER, remote_labels
from sampan.model.values.timestamp import to_rfc3339

NOW = 1_800_000_000_000
HUB = "hub-1"
OFFER = OfferKey("prov-a", "lingang")
CLUSTER = "c-1"


def body(
    uid: str = "u1", *, spec: dict[str, Any] | None = None, status: JobStatus | dict[str, Any] | None = None, **meta: Any
) -> dict[str, Any]:
    """Return a ComputeJob as the API server gives it; `status` as a value or as it is written."""
    return {
        "metadata": {
            "uid": uid,
            "namespace": "team-a",
            "name": f"job-{uid}",
            "resourceVersion": "10",
            "generation": 1,
            "creationTimestamp": to_rfc3339(NOW - 60_000),
            "finalizers": [FINALIZER],
            **meta,
        },
        "spec": {"template": {"image": "registry.example/a:1"}, **(spec or {})},
        "status": to_manifest(status) if isinstance(status, JobStatus) else status or {},
    }


def shown(status: JobStatus) -> dict[str, Any]:
    """Return a status as the API shows it."""
    return to_manifest(status)


def record(uid: str = "u1", **kwargs: Any) -> JobRecord:
    """Return the record of such a ComputeJob."""
    return record_of(body(uid, **kwargs), None)


def table(*records: JobRecord) -> JobTable:
    """Return a table with these jobs."""
    made = JobTable()
    for each in records:
        made.put(each)
    return made


def binding(*, attempt: int = 1, remote_uid: str | None = None, bound_at: int = NOW - 5_000, replicas: int = 1) -> Binding:
    """Return a binding to OFFER on CLUSTER."""
    return Binding(
        offer=OFFER,
        cluster_uid=CLUSTER,
        attempt=attempt,
        pool="h100-x8",
        accelerator_class=None,
        alternative=None,
        replicas=replicas,
        namespace="sampan-jobs",
        name="sj-x",
        bound_at=bound_at,
        remote_uid=remote_uid,
    )


def bound_status(which: Binding | None = None, *, running: bool = False) -> JobStatus:
    """Return the status of a job that is bound, or runs."""
    status = JobStatus().bound(which or binding(), (), generation=1)
    return status.running(at=NOW - 4_000) if running else status


def copy(
    uid: str = "u1",
    *,
    attempt: int = 1,
    conditions: tuple[Condition, ...] = (),
    suspend: bool = False,
    deleting: bool = False,
    deadline: int | None = None,
    queue: str = "",
    **counts: Any,
) -> Job:
    """Return a remote copy of ours, in a Kueue queue of the member's where one is named."""
    return Job(
        metadata=ObjectMeta(
            name="sj-x",
            namespace="sampan-jobs",
            uid=f"remote-{attempt}",
            labels=remote_labels(hub_id=HUB, job_uid=uid, attempt=attempt) | ({LABEL_QUEUE: queue} if queue else {}),
            deletion_timestamp=to_rfc3339(NOW) if deleting else None,
        ),
        spec=JobSpec(parallelism=1, completions=1, suspend=suspend, active_deadline_seconds=deadline),
        status=CopyStatus(conditions=list(conditions), **counts),
    )


def blocked_copy(finalizer: str) -> Job:
    """Return a remote copy that was deleted a while ago and has this finalizer."""
    gone = copy(deleting=True)
    since = to_rfc3339(NOW - 20_000)
    return msgspec.structs.replace(gone, metadata=msgspec.structs.replace(gone.metadata, finalizers=[finalizer], deletion_timestamp=since))
