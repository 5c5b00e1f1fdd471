"""A federation's record on disk and the parts it consists of. Never here: making or ending one (up.py, down.py)."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sampan.local.binaries import Binaries
from sampan.local.cluster import PORTS_PER_CLUSTER, Cluster
from sampan.local.kubeconfig import write_private
from sampan.local.nodes.addresses import SWITCH
from sampan.local.nodes.cluster_nodes import ClusterNodes
from sampan.local.paths import LocalError, RefusedError, federation_folder, state_root, typed
from sampan.local.processes.kubectl import Kubectl
from sampan.local.processes.lookup import memory
from sampan.local.processes.operator_process import OperatorProcess
from sampan.local.processes.publisher_process import PublisherProcess
from sampan.local.query_certificates import api_server_flags
from sampan.local.scenario import Scenario

HUB = "hub"


@dataclass(frozen=True, slots=True)
class Federation:
    """Hub, members and operator of one name, as recorded in its folder; `ports`: the operator's metrics, six per cluster, the query API."""

    name: str
    scenario: Scenario
    ports: tuple[int, ...]
    complete: bool = False

    @property
    def folder(self) -> Path:
        """The one folder with all its state."""
        return federation_folder(self.name)

    def _cluster(self, name: str, number: int) -> Cluster:
        return Cluster(name=name, folder=self.folder, ports=ports_of(self.ports, number))

    @property
    def real_nodes(self) -> list[ClusterNodes]:
        """The real nodes of each cluster that has any, the hub's first. The hub's reach the members, for an operator that runs there."""
        members = [self._cluster(member.name, number) for number, member in enumerate(self.scenario.members, 1)]
        beyond = tuple(member.ports[2] for member in members)
        plans = [(self._cluster(HUB, 0), self.scenario.hub.real_nodes, beyond)]
        plans += [(cluster, plan.real_nodes, ()) for cluster, plan in zip(members, self.scenario.members, strict=True)]
        images = tuple(Path(image) for image in self.scenario.images)
        return [
            ClusterNodes(
                cluster=cluster.name,
                federation=self.folder,
                home=cluster.home,
                api_port=cluster.ports[2],
                groups=tuple(groups),
                images=images,
                beyond=reached,
            )
            for cluster, groups, reached in plans
            if groups
        ]

    @property
    def hub(self) -> Cluster:
        """The cluster that holds our custom resources."""
        return self.clusters[0]

    @property
    def query_folder(self) -> Path:
        """Certificates of the query API."""
        return self.folder / "query"

    @property
    def query_port(self) -> int | None:
        """Where the operator serves the query API; None in a federation that was made before there was one."""
        return self.ports[-1] if len(self.ports) == ports_needed(self.scenario) else None

    @property
    def members(self) -> list[Cluster]:
        """The member clusters in the scenario's order."""
        return self.clusters[1:]

    @property
    def clusters(self) -> list[Cluster]:
        """The hub, then the members."""
        flags = {group.cluster: group.api_flags for group in self.real_nodes}
        query = {HUB: api_server_flags(self.query_folder)}
        names = [HUB, *(member.name for member in self.scenario.members)]
        return [
            replace(self._cluster(name, number), api_flags=(*query.get(name, ()), *flags.get(name, ())), real_nodes=name in flags)
            for number, name in enumerate(names)
        ]

    @property
    def operator(self) -> OperatorProcess:
        """The operator's process, running or not."""
        return OperatorProcess(
            folder=self.folder,
            kubeconfig=self.kubeconfig("operator"),
            metrics_port=self.ports[0],
            provider_namespaces=tuple(provider.namespace for provider in self.scenario.providers),
            query_port=self.query_port,
        )

    @property
    def publishers(self) -> list[PublisherProcess]:
        """The publishers of the members that publish their capacity, running or not."""
        return [
            PublisherProcess(
                folder=self.folder,
                member=member.name,
                kubeconfig=self.kubeconfig(f"publisher-{member.name}"),
                interval=member.values.get("publisher", {}).get("interval", 10),
            )
            for member in self.scenario.members
            if member.published and not self.scenario.bare
        ]

    def cluster(self, name: str) -> Cluster:
        """The hub or the member of that name. Raises LocalError naming what there is."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise LocalError(f"federation {self.name} has no cluster {name!r}; it has: {', '.join(c.name for c in self.clusters)}")

    def address_for_operator(self, cluster: Cluster) -> str:
        """URL of the cluster's API server as the operator reaches it: from this machine, or from a pod of a bare hub with nodes."""
        inside = self.scenario.bare and self.scenario.hub.real_nodes
        return f"https://{SWITCH}:{cluster.ports[2]}" if inside else cluster.address

    def kubeconfig(self, who: str) -> Path:
        """Path of a kubeconfig: `hub`, a member's name, `operator`, `tenant`, `tenant-NAMESPACE`, `provider-NAME`, `publisher-MEMBER`."""
        return self.folder / "kubeconfig" / f"{who}.yaml"

    def existing_kubeconfig(self, who: str) -> Path:
        """The same, but a LocalError that lists what there is where there is no such file."""
        path = self.kubeconfig(who)
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in path.parent.glob("[a-z0-9]*.yaml")))
            raise LocalError(f"federation {self.name} has no kubeconfig {who!r}; there are: {known or 'none yet'}")
        return path

    def kubectl(self, binaries: Binaries, who: str = HUB) -> Kubectl:
        """kubectl with that kubeconfig."""
        return Kubectl(binary=binaries["kubectl"], kubeconfig=self.kubeconfig(who), cache=self.folder / "cache")

    def save(self, *, complete: bool) -> "Federation":
        """Writes the record; `complete` once everything is made."""
        record = {"name": self.name, "complete": complete, "ports": list(self.ports), "scenario": self.scenario.model_dump(by_alias=True)}
        write_private(self.folder / "federation.json", json.dumps(record, indent=1))
        return Federation(name=self.name, scenario=self.scenario, ports=self.ports, complete=complete)

    def status(self) -> dict[str, Any]:
        """What `sampan local status -o json` prints."""
        return {
            "name": self.name,
            "scenario": self.scenario.name,
            "complete": self.complete,
            "hub": cluster_status(self.hub),
            "members": [cluster_status(member) for member in self.members],
            "realNodes": [
                {"name": node.name, "cluster": group.cluster, "pid": node.pid} for group in self.real_nodes for node in group.nodes
            ],
            "operator": operator_status(self.operator),
        }


def cluster_status(cluster: Cluster) -> dict[str, Any]:
    """Name, address, administrator's kubeconfig, process ids, components that do not run, memory (proportional, bytes) of a cluster."""
    ended, pids = cluster.ended(), cluster.pids()
    return {
        "name": cluster.name,
        "address": cluster.address,
        "kubeconfig": str(cluster.kubeconfig),
        "pids": pids,
        "ended": ended,
        "memoryBytes": sum(memory(pid) for pid in pids.values()),
    }


def operator_status(operator: OperatorProcess) -> dict[str, Any]:
    """Process id (null when it does not run), memory, metrics address, log and kubeconfig of the operator."""
    pid = operator.pid
    return {
        "pid": pid,
        "running": pid is not None,
        "memoryBytes": memory(pid) if pid is not None else 0,
        "metricsAddress": operator.metrics_address,
        "log": str(operator.log),
        "kubeconfig": str(operator.kubeconfig),
    }


def ports_needed(scenario: Scenario) -> int:
    """Two for the operator, six for the hub and for each member."""
    return 2 + PORTS_PER_CLUSTER * (1 + len(scenario.members))


def ports_of(ports: tuple[int, ...], number: int) -> tuple[int, ...]:
    """The six ports of the cluster with that number; the hub is number 0."""
    start = 1 + PORTS_PER_CLUSTER * number
    return ports[start : start + PORTS_PER_CLUSTER]


def find_federation(name: str) -> Federation | None:
    """The recorded federation, None where there is none."""
    record = federation_folder(name) / "federation.json"
    if not record.is_file():
        return None
    told = json.loads(record.read_text())
    scenario = Scenario.model_validate(told["scenario"])
    return Federation(name=name, scenario=scenario, ports=tuple(told["ports"]), complete=told["complete"])


def load_federation(name: str) -> Federation:
    """The recorded federation. Raises LocalError where there is none."""
    federation = find_federation(name)
    if federation is None:
        there = ", ".join(federation_names()) or "none"
        raise LocalError(f"no federation {name!r} here (there are: {there}); make it with: {typed(f'local up --name {name}')}")
    return federation


def federation_names() -> list[str]:
    """All federations recorded on this machine."""
    return sorted(record.parent.name for record in state_root().glob("*/federation.json"))


def the_name(name: str | None) -> str:
    """The name itself, or where none is given the name of the only federation. Raises RefusedError where there are none or several."""
    if name is not None:
        return name
    there = federation_names()
    if len(there) == 1:
        return there[0]
    if there:
        raise RefusedError(f"there are several federations: {', '.join(there)}; name one with --name")
    raise RefusedError(f"there is no federation here; make one with: {typed('local up')}")


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Nobody else makes or removes the federation meanwhile. Raises RefusedError when somebody is at it, or has just removed it."""
    try:
        lock = (federation_folder(name) / ".lock").open("w")
    except FileNotFoundError as error:
        raise RefusedError(_removed(name)) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RefusedError(f"federation {name} is being made or removed by another process: wait for it") from error
        if os.fstat(lock.fileno()).st_nlink == 0:  # whoever held the lock has removed the folder with it
            raise RefusedError(_removed(name))
        yield


def _removed(name: str) -> str:
    return f"federation {name} was removed by another process just now: run the command again if you still need to"
