"""ResourceSlices as drivers publish them: v1, and v1beta1 with its `basic`."""

import msgspec

from sampan.kube.objects.dra import ResourceSlice


def test_a_slice_is_read() -> None:
    raw = b"""{"metadata":{"name":"s"},"spec":{"driver":"d","nodeName":"n","pool":{"name":"n","generation":3,"resourceSliceCount":2},
    "devices":[{"name":"a","attributes":{"x":{"bool":true},"y":{"int":4},"z":{"version":"1.2.3"}},"capacity":{"memory":{"value":"80Gi"}}},
    {"name":"b","basic":{"attributes":{"x":{"string":"t"}}}}]}}"""
    one = msgspec.json.decode(raw, type=ResourceSlice)
    assert (one.spec.pool.generation, one.spec.pool.resource_slice_count) == (3, 2)
    first, second = one.spec.devices
    assert (first.attributes["x"].bool_, first.attributes["y"].int_, first.capacity["memory"].value) == (True, 4, "80Gi")
    assert second.basic is not None
    assert second.basic.attributes["x"].string == "t"
