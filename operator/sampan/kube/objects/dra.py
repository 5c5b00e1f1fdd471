"""Typed values of ResourceSlices (resource.k8s.io) as DRA drivers publish them.

Lives here: the fields something in Sampan reads, and no others.
Must never live here: decoding, network, meaning. The rules of leniency are in meta.py.
"""

# ruff: noqa: RUF012  (msgspec copies empty defaults; ruff does not see that KubeStruct is a Struct)

import msgspec

from sampan.kube.objects.meta import KubeStruct, ObjectMeta


class DeviceAttribute(KubeStruct, frozen=True, gc=False):
    """An attribute of a device: exactly one of the fields is set."""

    string: str | None = None
    version: str | None = None
    bool_: bool | None = msgspec.field(name="bool", default=None)
    int_: int | None = msgspec.field(name="int", default=None)


class DeviceCapacity(KubeStruct, frozen=True, gc=False):
    """A capacity of a device, a quantity as on the wire."""

    value: str = "0"


class DeviceTaint(KubeStruct, frozen=True, gc=False):
    """A taint of a device."""

    key: str = ""
    effect: str = ""


class Counter(KubeStruct, frozen=True, gc=False):
    """An amount of a counter, a quantity as on the wire."""

    value: str = "0"


class CounterSet(KubeStruct, frozen=True, gc=False):
    """What the devices of a pool that are parts of one another share."""

    name: str = ""
    counters: dict[str, Counter] = {}


class CounterUse(KubeStruct, frozen=True, gc=False):
    """What a device takes of a counter set."""

    counter_set: str = ""
    counters: dict[str, Counter] = {}


class BasicDevice(KubeStruct, frozen=True, gc=False):
    """Where v1beta1 keeps what v1 has on the device itself."""

    attributes: dict[str, DeviceAttribute] = {}
    capacity: dict[str, DeviceCapacity] = {}
    taints: list[DeviceTaint] = []
    allow_multiple_allocations: bool = False
    consumes_counters: list[CounterUse] = []


class Device(KubeStruct, frozen=True, gc=False):
    """A device of a slice."""

    name: str = ""
    attributes: dict[str, DeviceAttribute] = {}
    capacity: dict[str, DeviceCapacity] = {}
    taints: list[DeviceTaint] = []
    allow_multiple_allocations: bool = False
    consumes_counters: list[CounterUse] = []
    basic: BasicDevice | None = None


class ResourcePool(KubeStruct, frozen=True, gc=False):
    """The pool that a slice is a part of."""

    name: str = ""
    generation: int = 1
    resource_slice_count: int = 1


class ResourceSliceSpec(KubeStruct, frozen=True, gc=False):
    """What a driver publishes; a slice without a node name is not a node's own."""

    driver: str = ""
    node_name: str = ""
    pool: ResourcePool = ResourcePool()
    devices: list[Device] = []
    shared_counters: list[CounterSet] = []


class ResourceSlice(KubeStruct, frozen=True, gc=False):
    """A ResourceSlice."""

    metadata: ObjectMeta = ObjectMeta()
    spec: ResourceSliceSpec = ResourceSliceSpec()
