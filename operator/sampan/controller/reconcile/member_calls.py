"""What the operator does on a member about one job's copy: create, start, lengthen, remove, look. One method an action.

Touches only objects that carry our hub identity, the job's UID and the attempt. Decides nothing: `decide` did.
"""

from dataclasses import dataclass
from typing import Protocol

from sampan.api.launch.dependents import RESOURCE_API, Dependent, Payload, dependents, owned
from sampan.api.launch.manifest import RemoteJobSpec, job_manifest, start_patch
from sampan.api.launch.remote_job import optional_config_maps, referenced_objects
from sampan.api.status.job_status import Binding
from sampan.controller.hub.client import HubClient
from sampan.controller.state.record import JobRecord
from sampan.controller.state.store import State
from sampan.kube.errors import AlreadyExists, Conflict, Forbidden, NotFound
from sampan.kube.objects.meta import PartialObject
from sampan.kube.objects.workloads import Job as RemoteJob
from sampan.kube.transport.client import Client, ListOptions
from sampan.kube.transport.paths import ResourcePath, resource_path
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
ACCOUNT = "sampan-operator"
"""The operator's ServiceAccount, as the chart names it."""


class Link(Protocol):
    """What is needed of a member link."""

    @property
    def client(self) -> Client:
        """Return the member's client."""

    @property
    def jobs(self) -> dict[str, RemoteJob]:
        """Return our Jobs there by the UID of the ComputeJob: live, and open to what a call just showed."""


@dataclass(frozen=True, slots=True)
class CopyRejected(Exception):  # noqa: N818
    """Something that travels with the job is not there or not shared: the reason and a message for the tenant."""

    reason: str
    message: str


class PoolGone(Exception):  # noqa: N818
    """The pool that was chosen is no longer there."""


class RemoteJobs:
    """The remote copies of all jobs."""

    def __init__(self, state: State, hub: HubClient, hub_id: str, *, namespace: str) -> None:
        """`hub_id` is the hub's stored identity, `namespace` the operator's own."""
        self._state, self._hub, self._hub_id, self._namespace = state, hub, hub_id, namespace

    async def create(self, link: Link, record: JobRecord, binding: Binding, *, pull_secrets: tuple[str, ...]) -> RemoteJob | None:
        """Create the copy of the bound attempt. Returns it, or None where an object of that name is there already.

        Raises `PoolGone`, `CopyRejected` where the pool's devices cannot be asked for in this way, and `KubeError`s: with
        `outcome_unknown` it may have been created all the same.
        """
        consignment = self._job_spec(record, binding, pull_secrets=pull_secrets)
        try:
            body = job_manifest(consignment)
        except ValueError as error:
            raise CopyRejected(AttemptReason.LAUNCH_NOT_POSSIBLE, f"pool {binding.pool}: {error}") from None
        path = resource_path("batch/v1", "jobs", namespace=binding.namespace)
        try:
            made = await link.client.create(path, body, into=RemoteJob)
        except AlreadyExists:
            return None
        return link.jobs.setdefault(record.uid, made)

    async def get(self, link: Link, binding: Binding) -> RemoteJob | None:
        """Return the object that has the copy's name on the member now, whoever made it."""
        try:
            return await link.client.get(_job_path(binding), into=RemoteJob)
        except NotFound:
            return None

    def is_ours(self, job: RemoteJob, uid: str) -> bool:
        """Tell whether an object carries our hub identity and this job's UID."""
        return job.metadata.labels.get(LABEL_HUB) == self._hub_id and job.metadata.labels.get(LABEL_JOB_UID) == uid

    async def start(self, link: Link, record: JobRecord, copy: RemoteJob) -> None:
        """Make what the copy depends on, owned by it, then lift its suspension, or let it into the member's queue. Raises `Missing`."""
        binding = record.binding
        assert binding is not None
        for dependent in await self._dependents(record, binding):
            await self._create_dependent(link, dependent, copy)
        body = start_patch(self._job_spec(record, binding), copy.metadata.uid)
        link.jobs[record.uid] = await link.client.patch(_job_path(binding), body, into=RemoteJob)

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

    async def sweep(self, link: Link, record: JobRecord, binding: Binding) -> None:
        """Delete what carries the job's labels and outlived its Job."""
        for api_version, resource in SWEPT:
            path = resource_path(api_version, resource, namespace=binding.namespace)
            try:
                await link.client.delete_collection(path, self._selector(record), propagation="Background")
            except NotFound:
                if api_version == "v1":
                    raise
                # a member that does not serve DRA has no claims of ours either

    def is_copy(self, there: RemoteJob | None, record: JobRecord, binding: Binding) -> bool:
        """Tell whether what has the copy's name is the copy: by the UID that the hub recorded, or by our labels."""
        return there is not None and (there.metadata.uid == binding.remote_uid or self.is_ours(there, record.uid))

    async def pods_gone(self, link: Link, record: JobRecord, binding: Binding) -> bool:
        """Ask the member itself: no pod carries the job's UID."""
        options = ListOptions(limit=1, label_selector=self._selector(record))
        page = await link.client.list_page(resource_path("v1", "pods", namespace=binding.namespace), options, into=PartialObject)
        return not page.items and not page.unreadable

    async def check_dependencies(self, record: JobRecord) -> None:
        """Raise `Missing` where a ConfigMap or Secret that travels with the job cannot be read on the hub."""
        assert record.spec is not None
        await self._payloads(record)

    def _selector(self, record: JobRecord) -> str:
        return f"{LABEL_HUB}={self._hub_id},{LABEL_JOB_UID}={record.uid}"

    def _job_spec(self, record: JobRecord, binding: Binding, *, pull_secrets: tuple[str, ...] = ()) -> RemoteJobSpec:
        assert record.spec is not None
        assert record.shape is not None
        pool = self._state.pool_of(binding.offer, binding.pool)
        if pool is None:
            raise PoolGone(f"pool {binding.pool} of offer {binding.offer} is no longer there")
        demand = record.shape.demands[binding.alternative or 0]
        requirement, units = demand.requirement, demand.devices * pool.units_per_device
        nodes = self._state.hostnames(record.uid)
        return RemoteJobSpec(
            hub_id=self._hub_id,
            job_namespace=record.namespace,
            job_name=record.name,
            job_uid=record.uid,
            attempt=binding.attempt,
            remote_namespace=binding.namespace,
            spec=record.spec,
            alternative=binding.alternative,
            replicas=binding.replicas,
            device=(pool.resource, units) if requirement and pool.claim is None else None,
            share=requirement.share if requirement else None,
            claim=pool.claim if requirement else None,
            launch=pool.launch,
            queue=pool.member_queue.rpartition("/")[2],
            required_labels=pool.identifying_labels,
            architecture=pool.architecture,
            tolerated=pool.tolerated,
            preferred_hostnames=nodes,
            image_pull_secrets=pull_secrets,
        )

    async def _dependents(self, record: JobRecord, binding: Binding) -> tuple[Dependent, ...]:
        config_maps, secrets = await self._payloads(record)
        return dependents(self._job_spec(record, binding), config_maps=config_maps, secrets=secrets)

    async def _payloads(self, record: JobRecord) -> tuple[dict[str, Payload], dict[str, Payload]]:
        """Read what travels with the job; an optional ConfigMap that is not there is left out."""
        assert record.spec is not None
        names, secret_names = referenced_objects(record.spec)
        may_lack = optional_config_maps(record.spec)
        config_maps = {name: found for name in names if (found := await self._config_map(record, name, must=name not in may_lack))}
        return config_maps, {name: await self._secret(record, name) for name in secret_names}

    async def _config_map(self, record: JobRecord, name: str, *, must: bool) -> Payload | None:
        try:
            found = await self._hub.get_config_map(record.namespace, name)
        except NotFound:
            if not must:
                return None
            raise CopyRejected(
                AttemptReason.CONFIG_MAP_NOT_FOUND, f"ConfigMap {name} does not exist in namespace {record.namespace}: create it."
            ) from None
        return Payload(data=found.data, binary_data=found.binary_data)

    async def _secret(self, record: JobRecord, name: str) -> Payload:
        try:
            found = await self._hub.get_secret(record.namespace, name)
        except (NotFound, Forbidden):
            raise CopyRejected(
                AttemptReason.SECRET_NOT_SHARED,
                f"Secret {name} cannot be read: create it, and let the operator read it: kubectl create rolebinding sampan-secrets "
                f"-n {record.namespace} --clusterrole=sampan-secret-reader --serviceaccount={self._namespace}:{ACCOUNT}",
            ) from None
        return Payload(data=found.data)

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
