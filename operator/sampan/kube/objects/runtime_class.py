"""Typed values of RuntimeClasses: what they add to each pod, and the nodes they keep it to.

Lives here: the fields something in Sampan reads, and no others.
Must never live here: decoding, network, meaning. The rules of leniency are in meta.py.
"""

# ruff: noqa: RUF012  (msgspec copies empty defaults; ruff does not see that KubeStruct is a Struct)

from sampan.kube.objects.meta import KubeStruct, ObjectMeta


class Overhead(KubeStruct, frozen=True, gc=False):
    """What the API server adds to the requests of every pod of the class. Quantities are strings as on the wire."""

    pod_fixed: dict[str, str] = {}


class Toleration(KubeStruct, frozen=True, gc=False):
    """A toleration that the API server adds to every pod of the class; without a key it tolerates everything."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


class Scheduling(KubeStruct, frozen=True, gc=False):
    """Which nodes support the class: their labels join the selector of every pod."""

    node_selector: dict[str, str] = {}
    tolerations: list[Toleration] = []


class RuntimeClass(KubeStruct, frozen=True, gc=False):
    """A RuntimeClass (node.k8s.io/v1)."""

    metadata: ObjectMeta = ObjectMeta()
    overhead: Overhead = Overhead()
    scheduling: Scheduling = Scheduling()
