"""What is sent to a member for one attempt of a job: its spec, and what travels with it, read on the hub. Sends nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from sampan.api.launch.dependents import DOCKER_CONFIG_TYPE, Dependent, Payload, dependents
from sampan.api.launch.manifest import RemoteJobSpec
from sampan.api.launch.resolved_alternative import resolve_alternative
from sampan.api.launch.travelling import TravelKind, Travelling, travelling
from sampan.controller.hub.client import SHARED, HubClient
from sampan.controller.state.allocations import Allocations
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import Forbidden, NotFound
from sampan.kube.text import clean_text
from sampan.model.status.attempt import Binding
from sampan.model.status.reasons import AttemptReason

ACCOUNT: Final = "sampan-operator"
"""The operator's ServiceAccount, as the chart names it."""
MAX_CONTENT: Final = 4 * 1024 * 1024
"""Bytes of what travels with one job, as they are on the wire: four objects of the largest size that an API server stores."""
NEVER: Final = frozenset({"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"})
"""Types of Secrets that are somebody's identity on the hub."""


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
        self._allocations, self.hub_id = allocations, hub_id
        self._content = TenantContent(hub, namespace=namespace)

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
        spec = replace(self.of(record, binding), isolated=isolated)
        return dependents(spec, await self._content.read(record.namespace, spec.travelling))

    async def check_dependencies(self, record: JobRecord, alternative: int | None) -> None:
        """Raise `CopyRejected` where a ConfigMap or Secret that travels with the job cannot be read on the hub, or is not what it needs."""
        assert record.spec is not None
        named = travelling(record.spec, resolve_alternative(record.spec, alternative))
        await self._content.read(record.namespace, named)


class TenantContent:
    """ConfigMaps and Secrets of tenants' namespaces, as far as they travel: read when needed, kept nowhere."""

    def __init__(self, hub: HubClient, *, namespace: str) -> None:
        """`namespace` is the operator's own: a message says whom to let read."""
        self._hub, self._namespace = hub, namespace

    async def read(self, namespace: str, named: Iterable[Travelling]) -> dict[Travelling, Payload]:
        """Return what is named; what may be lacking and does is left out. Raises `CopyRejected`, whose words say what to do."""
        found: dict[Travelling, Payload] = {}
        for each in named:
            if (payload := await self._one(namespace, each)) is not None:
                found[each] = payload
        size = sum(sum(map(len, (*each.data.values(), *each.binary_data.values()))) for each in found.values())
        if size > MAX_CONTENT:
            words = f"the job's ConfigMaps and Secrets have {size} bytes together; at most {MAX_CONTENT} travel: bring data by another way."
            raise CopyRejected(AttemptReason.CONTENT_TOO_LARGE, words)
        return found

    async def _one(self, namespace: str, each: Travelling) -> Payload | None:
        payload = await (self._secret if each.kind is TravelKind.SECRET else self._config_map)(namespace, each)
        if payload is None:
            return None
        if each.keys is not None:
            data, binary = ({key: value for key, value in of.items() if key in each.keys} for of in (payload.data, payload.binary_data))
            payload = replace(payload, data=data, binary_data=binary)
        missing = sorted(each.required - {*payload.data, *payload.binary_data})
        if missing:
            words = f"{each.kind} {each.name} of namespace {namespace} has no key {missing[0]}, which the job names: add the key to it."
            raise CopyRejected(AttemptReason.KEY_NOT_FOUND, words)
        return payload

    async def _config_map(self, namespace: str, each: Travelling) -> Payload | None:
        try:
            found = await self._hub.get_config_map(namespace, each.name)
        except NotFound:
            if each.optional:
                return None
            words = f"ConfigMap {each.name} does not exist in namespace {namespace}: create it."
            raise CopyRejected(AttemptReason.CONFIG_MAP_NOT_FOUND, words) from None
        return Payload(data=found.data, binary_data=found.binary_data)

    async def _secret(self, namespace: str, each: Travelling) -> Payload | None:
        """Absent or not shared: the answer is the same, so that nobody learns which Secrets there are."""
        try:
            found = await self._hub.shared_secret(namespace, each.name)
        except Forbidden:
            if each.optional:
                return None
            words = (
                f"Secrets of namespace {namespace} do not travel: the platform team names it in tenantNamespaces of the hub's chart, or: "
                f"kubectl create rolebinding sampan-secrets -n {namespace} --clusterrole=sampan-secret-reader "
                f"--serviceaccount={self._namespace}:{ACCOUNT}"
            )
            raise CopyRejected(AttemptReason.SECRET_NOT_SHARED, words) from None
        if found is None:
            if each.optional:
                return None
            words = f"no Secret {each.name} is shared with jobs: create it, then kubectl label secret -n {namespace} {each.name} {SHARED}"
            raise CopyRejected(AttemptReason.SECRET_NOT_SHARED, words)
        if found.type in NEVER or (each.pulls and found.type != DOCKER_CONFIG_TYPE):
            wanted = f"imagePullSecrets are of type {DOCKER_CONFIG_TYPE}" if each.pulls else "Secrets of that type never travel"
            words = f"Secret {each.name} of namespace {namespace} is of type {clean_text(found.type, 64)}: {wanted}; create another."
            raise CopyRejected(AttemptReason.SECRET_TYPE_NOT_ALLOWED, words)
        return Payload(data=found.data)
