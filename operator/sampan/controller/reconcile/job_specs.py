"""What is sent to a member for one attempt of a job: its spec, and what travels with it, read on the hub. Sends nothing."""

from dataclasses import dataclass, replace
from typing import Final

from sampan.api.launch.dependents import Dependent, Payload, dependents
from sampan.api.launch.manifest import RemoteJobSpec
from sampan.api.launch.remote_job import optional_config_maps, referenced_objects
from sampan.controller.hub.client import HubClient
from sampan.controller.state.allocations import Allocations
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import Forbidden, NotFound
from sampan.model.status.attempt import Binding
from sampan.model.status.reasons import AttemptReason

ACCOUNT: Final = "sampan-operator"
"""The operator's ServiceAccount, as the chart names it."""


@dataclass(frozen=True, slots=True)
class CopyRejected(Exception):  # noqa: N818
    """Something that travels with the job is not there or not shared: the reason and a message for the tenant."""

    reason: AttemptReason
    message: str


class PoolGone(Exception):  # noqa: N818
    """The pool that was chosen is no longer there."""


class JobSpecs:
    """Specs of the remote copies of all jobs."""

    def __init__(self, allocations: Allocations, hub: HubClient, hub_id: str, *, namespace: str) -> None:
        """`hub_id` is the hub's stored identity, `namespace` the operator's own."""
        self._allocations, self._hub, self.hub_id, self._namespace = allocations, hub, hub_id, namespace

    def of(self, record: JobRecord, binding: Binding, *, pull_secrets: tuple[str, ...] = ()) -> RemoteJobSpec:
        """Return the spec of the copy of a bound attempt; raises `PoolGone`."""
        assert record.spec is not None
        assert record.shape is not None
        pool = self._allocations.pool_of(binding.offer, binding.pool)
        if pool is None:
            raise PoolGone(f"pool {binding.pool} of offer {binding.offer} is no longer there")
        demand = record.shape.demands[binding.alternative or 0]
        requirement, units = demand.requirement, demand.devices * pool.units_per_device
        return RemoteJobSpec(
            hub_id=self.hub_id,
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
            preferred_hostnames=self._allocations.hostnames(record.uid),
            image_pull_secrets=pull_secrets,
        )

    async def dependents(self, record: JobRecord, binding: Binding, *, isolated: bool) -> tuple[Dependent, ...]:
        """Return what the copy depends on; raises `CopyRejected` where it cannot be read on the hub.

        `isolated`: pods in its namespace reach each other only where a NetworkPolicy of ours says so.
        """
        config_maps, secrets = await self._payloads(record)
        return dependents(replace(self.of(record, binding), isolated=isolated), config_maps=config_maps, secrets=secrets)

    async def check_dependencies(self, record: JobRecord) -> None:
        """Raise `CopyRejected` where a ConfigMap or Secret that travels with the job cannot be read on the hub."""
        assert record.spec is not None
        await self._payloads(record)

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
