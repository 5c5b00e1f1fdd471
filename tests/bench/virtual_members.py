"""Sets virtual members up: on a real one what its chart would make for each, on the hub the offers that lead there. Never here: jobs.

Each has a namespace with a quota, a ServiceAccount with a token, the chart's rights on its own namespace, and, where it is not number 0,
its part of the nodes. The chart's guard policies hold for the real member's ServiceAccount alone: here only RBAC does.
"""

import asyncio
import base64
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.api import Api, RefusedError, wait_until
from bench.virtual import LABEL, namespace_of
from bench.witness import GROUP
from bench.world import QUOTA, Bench
from sampan.local.cluster import Cluster
from sampan.local.kubeconfig import TokenUser, kubeconfig_text, write_private

RBAC = "/apis/rbac.authorization.k8s.io/v1"
ACCOUNT = "sampan-hub"
LABELS = {"grid": "virtual"}
"""Of each offer, for jobs that may go to virtual members only."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Host:
    """A real member, and the proxy before it."""

    cluster: Cluster
    real: Api
    proxy: Api
    pid: int
    port: int


@dataclass(frozen=True, slots=True)
class VirtualMembers:
    """A few real members, seen as many: the virtual ones are on them in turn."""

    bench: Bench
    hosts: Sequence[Host]
    joined: dict[int, str] = field(default_factory=dict)
    """The provider's namespace of each."""

    @property
    def pids(self) -> list[int]:
        """Return the processes of the proxies."""
        return [host.pid for host in self.hosts]

    def host(self, number: int) -> Host:
        """Return where a virtual member is."""
        return self.hosts[number % len(self.hosts)]

    async def join(self, number: int, *, provider: str, offers: int = 1) -> None:
        """Make one virtual member and its offers, in the namespace of a provider."""
        self.joined[number] = provider
        host = self.host(number)
        token = await self._account(host.real, number)
        server, ca, namespace = f"https://127.0.0.1:{host.port}/v{number}", host.cluster.ca(), namespace_of(number)
        kubeconfig = kubeconfig_text(server=server, ca=ca, user=TokenUser(token), namespace=namespace)
        secret = {"metadata": {"name": f"virtual-{number}"}, "data": {"kubeconfig": base64.b64encode(kubeconfig.encode()).decode()}}
        await _create(self.bench.hub, f"/api/v1/namespaces/{provider}/secrets", secret)
        for each in range(offers):
            spec = {"region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand", "remoteNamespace": namespace}
            spec["kubeconfigSecretRef"] = {"name": f"virtual-{number}", "key": "kubeconfig"}  # type: ignore[assignment]
            metadata = {"name": f"virtual-{number}-{each}", "labels": LABELS}
            body = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ClusterOffer", "metadata": metadata, "spec": spec}
            await _create(self.bench.hub, f"{GROUP}/namespaces/{provider}/clusteroffers", body)

    @staticmethod
    async def _account(real: Api, number: int) -> str:
        """Return the token of the virtual member's ServiceAccount."""
        name = namespace_of(number)
        model = msgspec.json.decode(await real.call("GET", "/api/v1/namespaces/sampan-jobs"))
        await _create(real, "/api/v1/namespaces", {"metadata": {"name": name, "labels": {**_plain(model["metadata"]["labels"])}}})
        quota = {"metadata": {"name": "sampan"}, "spec": {"hard": QUOTA}}
        await _create(real, f"/api/v1/namespaces/{name}/resourcequotas", quota)
        await _create(real, f"/api/v1/namespaces/{name}/serviceaccounts", {"metadata": {"name": ACCOUNT}})
        role = msgspec.json.decode(await real.call("GET", f"{RBAC}/namespaces/sampan-jobs/roles/{ACCOUNT}"))
        await _create(real, f"{RBAC}/namespaces/{name}/roles", {"metadata": {"name": ACCOUNT}, "rules": role["rules"]})
        await _create(real, f"{RBAC}/namespaces/{name}/rolebindings", _binding(ACCOUNT, "Role", name))
        looks = [{"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [name], "verbs": ["get"]}]
        await _create(real, f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": looks})
        for clusterrole in (name, "sampan-hub-capacity"):
            binding = _binding(clusterrole, "ClusterRole", name)
            binding["metadata"]["name"] = f"{name}-{clusterrole}"
            await _create(real, f"{RBAC}/clusterrolebindings", binding)
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 86_400}}
        path = f"/api/v1/namespaces/{name}/serviceaccounts/{ACCOUNT}/token"
        token: str = msgspec.json.decode(await real.call("POST", path, msgspec.json.encode(asked)))["status"]["token"]
        return token

    async def share_nodes(self, numbers: Sequence[int]) -> None:
        """Give each of these virtual members its part of the nodes of the real one that it is on."""
        for host in self.hosts:
            here = [str(number) for number in numbers if self.host(number) is host]
            await self._label_nodes(host.real, here or [None])

    @staticmethod
    async def _label_nodes(real: Api, values: Sequence[str | None]) -> None:
        for place, node in enumerate(await real.items("/api/v1/nodes")):
            label = {"metadata": {"labels": {LABEL: values[place % len(values)]}}}
            await real.call("PATCH", f"/api/v1/nodes/{node['metadata']['name']}", msgspec.json.encode(label), patch="merge-patch")

    async def go(self) -> None:
        """Leave the hub, and nothing on the real members."""
        await leave(self.bench)
        for number, provider in self.joined.items():
            name, real = namespace_of(number), self.host(number).real
            await self.bench.hub.call("DELETE", f"/api/v1/namespaces/{provider}/secrets/virtual-{number}")
            await real.call("DELETE", f"/api/v1/namespaces/{name}")
            for path in (f"clusterroles/{name}", f"clusterrolebindings/{name}-{name}", f"clusterrolebindings/{name}-sampan-hub-capacity"):
                await real.call("DELETE", f"{RBAC}/{path}")
        for host in self.hosts:
            await self._label_nodes(host.real, [None])

    async def cut(self, number: int) -> int:
        """Cut every connection to a virtual member; returns how many there were."""
        cut: int = msgspec.json.decode(await self.host(number).proxy.call("POST", f"/cut/{number}"))["cut"]
        return cut


@asynccontextmanager
async def virtual_members(bench: Bench, members: Sequence[str]) -> AsyncIterator[VirtualMembers]:
    """Run a proxy before each of these members; the virtual ones' offers are gone from the hub afterwards."""
    async with AsyncExitStack() as stack:
        many = VirtualMembers(bench, [await stack.enter_async_context(_proxied(bench, member)) for member in members])
        try:
            yield many
        finally:
            await many.go()


@asynccontextmanager
async def _proxied(bench: Bench, member: str) -> AsyncIterator[Host]:
    cluster = bench.federation.cluster(member)
    folder = bench.federation.federation.folder
    command = [sys.executable, "-m", "bench.virtual", "--server", cluster.address, "--pki", str(cluster.home / "pki")]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    kubeconfig = folder / f"virtual-{member}.yaml"
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 60))
        write_private(kubeconfig, kubeconfig_text(server=f"https://127.0.0.1:{port}", ca=cluster.ca(), user=TokenUser("none")))
        async with Api(kubeconfig) as proxy:
            yield Host(cluster, bench.members[member], proxy, process.pid, port)
    finally:
        process.terminate()
        await process.wait()
        kubeconfig.unlink(missing_ok=True)


async def leave(bench: Bench, *, seconds: float = 300) -> None:
    """Delete the offers of all virtual members and wait until they are gone."""
    for offer in await _offers(bench):
        meta = offer["metadata"]
        await bench.hub.call("DELETE", f"{GROUP}/namespaces/{meta['namespace']}/clusteroffers/{meta['name']}")

    async def gone() -> bool:
        return not await _offers(bench)

    await wait_until(gone, "the virtual members' offers have left the hub", seconds=seconds, every=1)


async def all_schedulable(bench: Bench, number: int, *, seconds: float) -> None:
    """Wait until so many offers of virtual members take jobs."""
    found: list[Json] = []

    async def are() -> bool:
        found[:] = await _offers(bench)
        return sum(_takes_jobs(offer) for offer in found) == number

    try:
        await wait_until(are, f"{number} offers of virtual members are Schedulable", seconds=seconds, every=2)
    except AssertionError as error:
        others = [offer.get("status", {}).get("conditions") for offer in found if not _takes_jobs(offer)]
        raise AssertionError(f"{error}; {len(others)} of {len(found)} are not, such as: {others[:1]}") from None


async def _offers(bench: Bench) -> list[Json]:
    return await bench.hub.items(f"{GROUP}/clusteroffers", {"labelSelector": ",".join(f"{k}={v}" for k, v in LABELS.items())})


def _takes_jobs(offer: Json) -> bool:
    conditions: Iterable[Json] = offer.get("status", {}).get("conditions", [])
    return any(c["type"] == "Schedulable" and c["status"] == "True" for c in conditions)


def _binding(role: str, kind: str, namespace: str) -> Json:
    return {
        "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
    }


def _plain(labels: dict[str, str]) -> dict[str, str]:
    """Labels without those by which helm or the API server knows its own."""
    return {key: value for key, value in labels.items() if key.startswith("pod-security")}


async def _create(api: Api, path: str, body: Json) -> None:
    """Create an object unless it is there already, from the scenario before."""
    try:
        await api.call("POST", path, msgspec.json.encode(body))
    except RefusedError as error:
        if error.status != 409:
            raise
