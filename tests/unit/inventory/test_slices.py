"""ResourceSlices become what the catalogue reads: text, amounts, taints, and slices that are no node's own."""

import msgspec

from sampan.inventory.slices import to_slice
from sampan.kube.objects.dra import ResourceSlice


def slice_of(**spec: object) -> ResourceSlice:
    return msgspec.convert({"metadata": {"name": "s"}, "spec": spec}, ResourceSlice)


def test_a_slice_is_converted() -> None:
    device = {
        "name": "a",
        "attributes": {"b": {"bool": False}, "i": {"int": 4}, "s": {"string": "t"}, "v": {"version": "1.2.3"}, "none": {}},
        "capacity": {"memory": {"value": "80Gi"}, "odd": {"value": "much"}},
        "taints": [{"key": "sick", "effect": "NoExecute"}],
        "allowMultipleAllocations": True,
    }
    one = to_slice(slice_of(driver="d", nodeName="n1", pool={"name": "p", "generation": 2, "resourceSliceCount": 3}, devices=[device]))
    assert one is not None
    assert (one.node, one.pool, one.generation, one.expected_slices) == ("n1", "p", 2, 3)
    (made,) = one.devices
    assert made.attributes == {"b": "false", "i": "4", "s": "t", "v": "1.2.3", "none": ""}
    assert made.capacity == {"memory": 80 * 2**30}
    assert (made.tainted, made.consumable) == (True, True)


def test_older_slices_keep_devices_in_basic() -> None:
    one = to_slice(slice_of(nodeName="n1", devices=[{"name": "a", "basic": {"attributes": {"s": {"string": "t"}}}}]))
    assert one is not None
    assert one.devices[0].attributes == {"s": "t"}


def test_counters_are_converted_wherever_they_are() -> None:
    uses = [{"counterSet": "c", "counters": {"memory": {"value": "10Gi"}}}]
    devices = [{"name": "a", "consumesCounters": uses}, {"name": "b", "basic": {"consumesCounters": uses}}]
    one = to_slice(slice_of(nodeName="n1", devices=devices, sharedCounters=[{"name": "c", "counters": {"memory": {"value": "80Gi"}}}]))
    assert one is not None
    assert one.counters == (("c", "memory", 80 * 2**30),)
    assert [device.counters for device in one.devices] == [(("c", "memory", 10 * 2**30),)] * 2


def test_a_slice_of_no_node_is_none() -> None:
    assert to_slice(slice_of(driver="d")) is None
