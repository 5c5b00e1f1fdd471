"""Whether a node takes another pod at all, whatever its devices: pod slots, CPU, memory, disk. Which pods fit is in `fit_matrix`."""

from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Cluster
from sampan.model.values.vector import CPU, MEMORY, PODS, STORAGE


def hindrances(cluster: Cluster, name: str) -> tuple[str, ...]:
    """Return why no pod can be added to a node; empty where a small one could be.

    Disk is looked at where the node says how much it has.
    """
    whole, free = cluster.nodes[name].allocatable, cluster.free(name)
    said = []
    if free[PODS] <= 0:
        said.append(f"no pod slot is free: {whole[PODS] - free[PODS]} of {whole[PODS]} are taken")
    said += [f"no {resource} is free" for resource in (CPU, MEMORY) if free[resource] <= 0]
    if whole[STORAGE] > 0 >= free[STORAGE]:
        said.append(f"no {STORAGE} is free")
    return tuple(said)


def usable(free: int, cluster: Cluster, name: str, *, sharing: Sharing) -> int:
    """Return how many of a node's free devices pods can still be given: none on a full node, one a pod of what is no whole device."""
    if hindrances(cluster, name):
        return 0
    return min(free, cluster.free(name)[PODS]) if sharing in (Sharing.PARTITION, Sharing.VIRTUAL) else free
