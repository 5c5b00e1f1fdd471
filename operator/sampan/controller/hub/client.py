"""What the operator reads and writes on the hub, one method a call. Decides nothing, keeps nothing.

Every write of a ComputeJob carries the resourceVersion it was decided on: a stale decision loses (Conflict) and changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sampan.api.status.manifest import merge_patch
from sampan.controller.state.record import JobRecord
from sampan.kube.errors import AlreadyExists, NotFound
from sampan.kube.objects.meta import ConfigMap, Namespace, PartialObject, Secret
from sampan.kube.transport.client import Client, ListOptions
from sampan.kube.transport.paths import ResourcePath, resource_path
from sampan.kube.watch.listing import Bounds, Collection, list_all
from sampan.model.status.generation import with_observed_generation
from sampan.model.status.job_status import JobStatus
from sampan.model.values.names import FINALIZER, GROUP, LABEL_SHARED, VERSION

Body = dict[str, Any]
T = TypeVar("T")
API = f"{GROUP}/{VERSION}"
JOBS = "computejobs"
NAMESPACES = "namespaces"
KINDS = (JOBS, "clusteroffers", "providers", "acceleratorclasses", "placementpolicies", "queues", NAMESPACES)
"""What is watched: our kinds, and namespaces, whose labels offers may select tenants by."""
KOPF_KINDS = KINDS[1:]
"""What Kopf watches: all but the jobs, which change with every step of ours."""
Handover = Callable[[str, str | None, Body], None]
"""`handover(plural, event type, object)`: the type is None for what a list showed; called in the core's loop."""
IDENTITY = "sampan-hub-identity"
SHARED = f"{LABEL_SHARED}=true"
"""What the owner of a Secret says by a label: jobs of its namespace may take it along."""
ALL = Bounds(max_objects=1_000_000, max_bytes=4 * 1024**3)
"""How much of one kind the operator takes in at its start: ten times what it is made for."""


def api_of(plural: str) -> str:
    """Return the group and version of a watched kind, as `apiVersion` has them."""
    return "v1" if plural == NAMESPACES else API


class HubClient:
    """The hub's API server, as the operator uses it. Every method raises `KubeError`s."""

    def __init__(self, client: Client) -> None:
        """Use an open client."""
        self.client = client

    async def list_objects(self, plural: str) -> list[Body]:
        """Return every object of a watched kind, page by page."""
        return await self._pages(plural, dict[str, Any])

    async def list_metadata(self, plural: str) -> list[PartialObject]:
        """Return the metadata of every object of a watched kind."""
        return await self._pages(plural, PartialObject)

    async def count(self, plural: str) -> int:
        """Return how many objects there are, by a list of one: 1 + remainingItemCount."""
        page = await self.client.list_page(resource_path(api_of(plural), plural), ListOptions(limit=1), into=PartialObject)
        return len(page.items) + (page.remaining or 0)

    async def get_job(self, namespace: str, name: str) -> Body | None:
        """Return a ComputeJob as the API server has it now, None where there is none."""
        try:
            return await self.client.get(_job_path(namespace, name), into=dict[str, Any])
        except NotFound:
            return None

    async def write_status(self, record: JobRecord, status: JobStatus) -> Body:
        """Write what differs from the record's status, if nobody changed the object since; returns the object."""
        status = with_observed_generation(status, record.status, record.generation)
        patch = {"metadata": {"resourceVersion": record.resource_version}, "status": merge_patch(record.status, status)}
        return await self.client.patch(_job_path(record.namespace, record.name, "status"), patch, into=dict[str, Any])

    async def add_finalizer(self, record: JobRecord) -> Body:
        """Put our finalizer on, where the admission policy did not."""
        return await self._set_finalizers(record, (*record.finalizers, FINALIZER))

    async def remove_finalizer(self, record: JobRecord) -> Body:
        """Take our finalizer off: the last thing that is done to a job."""
        return await self._set_finalizers(record, tuple(f for f in record.finalizers if f != FINALIZER))

    async def delete(self, record: JobRecord) -> None:
        """Delete a finished ComputeJob, this very one."""
        await self.client.delete(_job_path(record.namespace, record.name), uid=record.uid, propagation="Background")

    async def get_config_map(self, namespace: str, name: str) -> ConfigMap:
        """Return a tenant's ConfigMap."""
        return await self.client.get(resource_path("v1", "configmaps", namespace=namespace, name=name), into=ConfigMap)

    async def shared_secret(self, namespace: str, name: str) -> Secret | None:
        """Return a tenant's Secret if it carries the label that shares it with jobs; Forbidden where the platform team lets us list none.

        A list by label and name, not a read: of a Secret without the label the content never comes here.
        """
        options = ListOptions(limit=1, label_selector=SHARED, field_selector=f"metadata.name={name}")
        page = await self.client.list_page(resource_path("v1", "secrets", namespace=namespace), options, into=Secret)
        return page.items[0] if page.items else None

    async def cluster_uid(self) -> str:
        """Return the UID of the hub's own kube-system namespace."""
        namespace = await self.client.get(resource_path("v1", "namespaces", name="kube-system"), into=Namespace)
        return namespace.metadata.uid

    async def ensure_identity(self, namespace: str, fresh: str) -> str:
        """Return the hub's identity: the one stored in the operator's namespace, or `fresh`, stored now for ever."""
        path = resource_path("v1", "configmaps", namespace=namespace)
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": IDENTITY}, "data": {"hubID": fresh}, "immutable": True}
        try:
            return (await self.get_config_map(namespace, IDENTITY)).data["hubID"]
        except NotFound:
            try:
                return (await self.client.create(path, body, into=ConfigMap)).data["hubID"]
            except AlreadyExists:
                return (await self.get_config_map(namespace, IDENTITY)).data["hubID"]

    async def _set_finalizers(self, record: JobRecord, wanted: tuple[str, ...]) -> Body:
        patch = {"metadata": {"resourceVersion": record.resource_version, "finalizers": list(wanted)}}
        return await self.client.patch(_job_path(record.namespace, record.name), patch, into=dict[str, Any])

    async def _pages(self, plural: str, into: type[T]) -> list[T]:
        """List page by page, smaller ones where tenants' objects are large: nobody can make the list too long to be read."""
        return (await list_all(self.client, Collection(path=resource_path(api_of(plural), plural), into=into), ALL)).items


def _job_path(namespace: str, name: str, subresource: str | None = None) -> ResourcePath:
    return resource_path(API, JOBS, namespace=namespace, name=name, subresource=subresource)


def metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object's metadata."""
    found: Mapping[str, Any] = body["metadata"]
    return found
