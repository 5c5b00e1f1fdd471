"""ResourceSlices: newest generation, whole pools, kinds, children of whole devices, health, and hostile attributes."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.catalog import load
from sampan.catalog.facts import DraDriver
from sampan.catalog.slices import attribute, claimables, held, whole_pools
from sampan.model.device import DeviceSlice, DraDevice

DRIVER = "gpu.nvidia.com"
GIB = 2**30


def driver(name: str = DRIVER) -> DraDriver:
    return next(known for vendor in load().vendors if (known := vendor.dra(name)))


def gpu(name: str, product: str = "NVIDIA L4", **others: str) -> DraDevice:
    attributes = {"type": "gpu", "uuid": f"GPU-{name}", "productName": product, **others}
    return DraDevice(name=name, attributes=attributes, capacity={"memory": 24 * GIB})


def piece(name: str, *devices: DraDevice, generation: int = 1, expected: int = 1) -> DeviceSlice:
    return DeviceSlice(name=name, driver=DRIVER, pool="n1", node="n1", generation=generation, expected_slices=expected, devices=devices)


def test_only_the_newest_generation_counts() -> None:
    drivers, ignored = whole_pools([piece("b", gpu("a"), gpu("b")), piece("a", gpu("a"), generation=2)])
    assert ([device.name for device in drivers[DRIVER]], ignored) == (["a"], ())


def test_an_incomplete_pool_is_not_counted() -> None:
    drivers, ignored = whole_pools([piece("a", gpu("a"), gpu("b"), expected=2)])
    assert drivers == {}
    assert [(one.amount, one.why) for one in ignored] == [(2, "Incomplete")]


def test_products_are_groups_and_tainted_devices_are_unhealthy() -> None:
    sick = DraDevice(name="c", attributes=gpu("c").attributes, tainted=True)
    found, ignored = claimables(driver(), [gpu("a"), sick, gpu("b", "Tesla T4")])
    assert [(each.product, each.devices, each.unhealthy) for each in found] == [("NVIDIA L4", 1, 1), ("Tesla T4", 1, 0)]
    assert found[0].source.selectors == (
        'device.attributes["gpu.nvidia.com"].type == "gpu"',
        'device.attributes["gpu.nvidia.com"].productName == "NVIDIA L4"',
    )
    assert ignored == ()


def test_children_of_a_whole_device_are_not_counted_beside_it() -> None:
    mig = gpu("m", type="mig", parentUUID="GPU-a", profile="1g.10gb", uuid="MIG-1")
    found, ignored = claimables(driver(), [gpu("a"), mig])
    assert [each.profile for each in found] == [""]
    assert [(one.resource, one.amount, one.why) for one in ignored] == [("claim:mig.nvidia.com", 1, "Partitioned")]


def test_shared_devices_are_cards() -> None:
    card = DraDevice(name="g0", attributes={"productName": "NVIDIA L4"}, capacity={"memory": 24 * GIB, "cores": 100}, consumable=True)
    (found,) = claimables(driver("hami-core-gpu.project-hami.io"), [card])[0]
    assert [(each.id, each.memory, each.cores) for each in found.cards] == [("g0", 24 * GIB, 100)]


def test_unknown_models_tell_nothing() -> None:
    device = DraDevice(name="x", attributes={"model": "Unknown", "health": "Unhealthy"}, capacity={"memory": 0})
    (found,) = claimables(driver("gpu.intel.com"), [device])[0]
    assert (found.product, found.memory, found.devices, found.unhealthy) == ("", 0, 0, 1)


def test_attributes_are_read_under_any_domain_and_only_plain_text() -> None:
    device = DraDevice(name="x", attributes={"gpu.nvidia.com/productName": "L4", "uuid": 'x" || true || "'})
    assert (attribute(device, "productName"), attribute(device, "uuid"), attribute(device, "")) == ("L4", "", "")


@given(st.dictionaries(st.sampled_from(["type", "uuid", "productName", "profile", "parentUUID"]), st.text(max_size=20)))
def test_no_attribute_breaks_a_claim(attributes: dict[str, str]) -> None:
    found, _ = claimables(driver(), [DraDevice(name="x", attributes=attributes)])
    for each in found:
        assert all(selector.count('"') in (4,) for selector in each.source.selectors)


def mig(name: str, gib: int, *, counters: tuple[tuple[str, str, int], ...] = ()) -> DraDevice:
    attributes = {"type": "mig", "uuid": f"MIG-{name}", "productName": "NVIDIA L4", "profile": f"{gib}gb", "parentUUID": "GPU-a"}
    return DraDevice(name=name, attributes=attributes, capacity={"memory": gib * GIB}, counters=counters)


def of_set(amount: int) -> tuple[tuple[str, str, int], ...]:
    return (("set-0", "memory", amount),)


def test_a_pool_that_names_a_device_twice_is_not_believed() -> None:
    drivers, ignored = whole_pools([piece("a", gpu("x"), expected=2), piece("b", gpu("x"), expected=2)])
    assert (drivers, [(one.amount, one.why) for one in ignored]) == ({}, [(2, "NotBelieved")])


def test_devices_that_are_parts_of_one_another_count_as_far_as_they_can_be_had_at_once() -> None:
    whole = DraDevice(name="z", attributes=gpu("a").attributes, counters=of_set(40))
    parts = [mig(f"m{n}", 20, counters=of_set(20)) for n in range(2)]
    small = [mig(f"s{n}", 10, counters=of_set(10)) for n in range(4)]
    sets = DeviceSlice(name="sets", driver=DRIVER, pool="n1", node="n1", expected_slices=2, counters=of_set(40))
    drivers, ignored = whole_pools([sets, piece("a", *parts, *small, whole, expected=2)])
    assert [device.name for device in drivers[DRIVER]] == ["z"]
    assert [(one.resource, one.amount, one.why) for one in ignored] == [("claim:gpu.nvidia.com", 6, "Partitioned")]
    drivers, _ = whole_pools([sets, piece("a", *small, parts[0], expected=2)])
    assert [device.name for device in drivers[DRIVER]] == ["m0", "s0", "s1"]


def test_a_counter_of_unknown_size_allows_its_greatest_user_once() -> None:
    drivers, _ = whole_pools([piece("a", mig("m0", 20, counters=of_set(20)), mig("s0", 10, counters=of_set(10)), gpu("free"))])
    assert sorted(device.name for device in drivers[DRIVER]) == ["free", "m0"]


def test_a_claim_on_a_part_holds_the_whole_device() -> None:
    by_parent = [piece("a", gpu("a"), gpu("b"), mig("m0", 10), mig("m1", 10))]
    assert held(driver(), by_parent, {"m0", "m1"}) == {"a"}
    assert held(driver(), by_parent, {"b", "gone"}) == {"b"}
    whole = DraDevice(name="z", attributes=gpu("z").attributes, counters=of_set(40))
    by_counter = [piece("a", whole, mig("m0", 10, counters=of_set(10)), gpu("b"))]
    assert held(driver(), by_counter, {"m0"}) == {"z"}
    assert held(None, by_counter, {"m0"}) == {"z"}
    assert held(driver(), [piece("a", mig("m0", 10), mig("m1", 10))], {"m0"}) == {"m0"}
