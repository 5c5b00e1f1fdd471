"""The calls on a member about one job's copy that look at it, start, lengthen and remove it. One method a call; decides nothing.

Touches only objects that carry our hub identity, the job's UID and the attempt.
"""

from typing import Protocol

from sampan.api.launch.dependents import NETWORKING_API, RESOURCE_API, Dependent, owned
from sampan.api.launch.manifest import start_patch
from sampan.controller.reconcile.job_specs import CopyRejected, JobSpecs
from sampan.controller.reconcile.view.member_view import ObservedLink, ObservedMembers
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import AlreadyExists, Conflict, NotFound
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.transport.client import Client, ListOptions
from sampan.kube.transport.paths import ResourcePath, resource_path
from sampan.model.status.attempt import Binding
from sampan.model.status.reasons import AttemptReason
from sampan.model.values.names import LABEL_HUB, LABEL_JOB_UID

SWEPT = (
    ("v1", "pods"),
    ("v1", "services"),
    ("v1", "configmaps"),
    ("v1", "secrets"),
    (RESOURCE_API, "resourceclaimtemplates"),
)
"""Kinds a job may leave behind on a member besides its Job."""


class Link(ObservedLink, Protocol):
    """What is needed of a member link in order to act there; its copies are open to what a call just showed."""

    @property
    def client(self) -> Client:
        """Return the member's client."""

    def isolates(self, namespace: str) -> bool:
        """Tell whether pods in a namespace of our jobs reach each other only where a NetworkPolicy of ours says so."""

    def request_review(self) -> None:
        """Hear that a call failed in a way that makes the connection, the rights or the identity doubtful."""


class Members(ObservedMembers, Protocol):
    """What is needed of the joined members."""

    def link_of(self, cluster_uid: str) -> Link | None:
        """Return the link to a member, None where no offer leads there now."""


class RemoteJobs:
    """The remote copies of all jobs."""

    def __init__(self, specs: JobSpecs) -> None:
        """Keep what copies are made from."""
        self._specs = specs

    async def get(self, link: Link, binding: Binding) -> RemoteJob | None:
        """Return the object that has the copy's name on the member now, whoever made it."""
        try:
            return await link.client.get(_job_path(binding), into=RemoteJob)
        except NotFound:
            return None

    def is_ours(self, job: RemoteJob, uid: str) -> bool:
        """Tell whether an object carries our hub identity and this job's UID."""
        return job.metadata.labels.get(LABEL_HUB) == self._specs.hub_id and job.metadata.labels.get(LABEL_JOB_UID) == uid

    async def start(self, link: Link, record: JobRecord, copy: RemoteJob) -> None:
        """Make what the copy depends on, owned by it, then lift its suspension, or let it into the member's queue.

        Raises `CopyRejected`, `PoolGone` and `KubeError`s.
        """
        binding = record.binding
        assert binding is not None
        for dependent in await self._specs.dependents(record, binding, isolated=link.isolates(binding.namespace)):
            await self._create_dependent(link, dependent, copy)
        body = start_patch(self._specs.of(record, binding), copy.metadata.uid)
        link.copies.put(record.uid, binding.attempt, await link.client.patch(_job_path(binding), body, into=RemoteJob))

    async def extend(self, link: Link, binding: Binding, copy: RemoteJob, *, seconds: int) -> None:
        """Give the running copy a longer deadline."""
        body = {"metadata": {"uid": copy.metadata.uid}, "spec": {"activeDeadlineSeconds": seconds}}
        await link.client.patch(_job_path(binding), body, into=PartialObject)

    async def remove(self, link: Link, binding: Binding, uid: str) -> bool:
        """Delete this copy and its pods; the Job goes only after them. Return whether it was there."""
        try:
            await link.client.delete(_job_path(binding), uid=uid, propagation="Foreground")
        except (NotFound, Conflict):
            return False
        return True

    async def sweep(self, link: Link, uid: str, binding: Binding) -> None:
        """Delete what carries the job's labels and outlived its Job."""
        isolating = ((NETWORKING_API, "networkpolicies"),) if link.isolates(binding.namespace) else ()
        for api_version, resource in (*SWEPT, *isolating):
            path = resource_path(api_version, resource, namespace=binding.namespace)
            try:
                await link.client.delete_collection(path, self._selector(uid), propagation="Background")
            except NotFound:
                if api_version == "v1":
                    raise
                # a member that does not serve DRA has no claims of ours either

    def is_copy(self, there: RemoteJob | None, uid: str, binding: Binding) -> bool:
        """Tell whether what has the copy's name is the copy: by the UID that the hub recorded, or by our labels."""
        return there is not None and (there.metadata.uid == binding.remote_uid or self.is_ours(there, uid))

    async def pods_gone(self, link: Link, uid: str, binding: Binding) -> bool:
        """Ask the member itself: no pod carries the job's UID."""
        options = ListOptions(limit=1, label_selector=self._selector(uid))
        page = await link.client.list_page(resource_path("v1", "pods", namespace=binding.namespace), options, into=PartialObject)
        return not page.items and not page.unreadable

    def _selector(self, uid: str) -> str:
        return f"{LABEL_HUB}={self._specs.hub_id},{LABEL_JOB_UID}={uid}"

    async def _create_dependent(self, link: Link, dependent: Dependent, copy: RemoteJob) -> None:
        """Create one dependent; one of that name must be this copy's own already."""
        body = owned(dependent, owner_name=copy.metadata.name, owner_uid=copy.metadata.uid)
        path = resource_path(dependent.api_version, dependent.resource, namespace=copy.metadata.namespace)
        try:
            await link.client.create(path, body, into=PartialObject)
        except AlreadyExists:
            if dependent.resource == "secrets":
                return  # no right to read it: its name is derived from the job, and its owner must be an attempt of it
            path = resource_path(dependent.api_version, dependent.resource, namespace=copy.metadata.namespace, name=dependent.name)
            there = await link.client.get(path, into=PartialObject)
            if all(owner.uid != copy.metadata.uid for owner in there.metadata.owner_references):
                words = f"{dependent.resource} {dependent.name} in the member's namespace belongs to somebody else."
                raise CopyRejected(AttemptReason.NAME_CONFLICT, words) from None


def _job_path(binding: Binding) -> ResourcePath:
    return resource_path("batch/v1", "jobs", namespace=binding.namespace, name=binding.name)
