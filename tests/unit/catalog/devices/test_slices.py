"""ResourceSlices: newest generation, whole pools, kinds, children of whole devices, health, and hostile attributes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from builders import node
from sampan.catalog import load
from sampan.catalog.devices.slices import attribute, claimables, held, whole_pools
from sampan.catalog.packaged.facts import DraDriver
from sampan.model.members.device import DeviceSlice, DraDevice

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
        '"memory" in device.capacity["gpu.nvidia.com"] && device.capacity["gpu.nvidia.com"].memory.isGreaterThan(quantity("0"))',
    )
    assert ignored == ()


def test_a_claim_for_whole_cards_keeps_off_those_that_are_set_up_for_their_parts() -> None:
    cut = DraDevice(name="z", attributes=gpu("z").attributes)
    found, _ = claimables(driver(), [gpu("a"), cut])
    assert sorted((each.devices, len(each.source.selectors)) for each in found) == [(1, 2), (1, 3)]
    uneven, _ = claimables(driver("gpu.amd.com"), [DraDevice(name="y", attributes={"type": "amdgpu"}, capacity={"memory": GIB})])
    assert not any("capacity" in selector for each in uneven for selector in each.source.selectors)


def counted(*slices: DeviceSlice) -> list[str]:
    return sorted(device.name for devices in whole_pools(slices)[0].values() for device in devices)


def test_static_parts_count_and_the_card_they_are_cut_from_does_not() -> None:
    parts = [mig("m0", 10), mig("m1", 10)]
    drivers, ignored = whole_pools([piece("s", gpu("a"), gpu("b"), *parts)])
    assert sorted(device.name for device in drivers[DRIVER]) == ["b", "m0", "m1"]
    assert [(one.resource, one.amount, one.why) for one in ignored] == [("claim:gpu.nvidia.com", 1, "Partitioned")]
    found, _ = claimables(driver(), drivers[DRIVER])
    assert [(each.profile, each.devices, each.physical) for each in found] == [("", 1, 1), ("10gb", 2, 1)]


def test_parts_of_a_card_that_is_not_listed_count() -> None:
    assert counted(piece("s", gpu("b"), mig("m0", 10))) == ["b", "m0"]


def test_parts_are_known_by_whatever_names_their_card() -> None:
    """Other drivers name the card by its bus address or an id of their own."""
    card = DraDevice(name="c", attributes={"type": "amdgpu", "pciAddr": "0000:05:00.0"}, capacity={"memory": 192 * GIB})
    cut = DraDevice(name="p", attributes={"type": "amdgpu-partition", "parentPciAddr": "0000:05:00.0"}, capacity={"memory": 24 * GIB})
    assert counted(piece("s", card, cut)) == ["p"]
    alike = DraDevice(name="q", attributes={"gpu.x/parentDeviceID": "7"}, capacity={"memory": GIB})
    assert counted(piece("s", DraDevice(name="d", attributes={"gpu.x/deviceID": "7"}, capacity={"memory": GIB}), alike)) == ["q"]


def test_a_card_that_is_announced_without_memory_beside_its_parts_cannot_be_had() -> None:
    """Its parts share counters with it, as those do that may yet be made; without memory it is set up for them."""
    card = DraDevice(name="z", attributes=gpu("a").attributes, counters=of_set(20))
    parts = [mig(f"m{n}", 10, counters=of_set(10)) for n in range(2)]
    sets = DeviceSlice(name="sets", driver=DRIVER, pool="n1", node="n1", expected_slices=2, counters=of_set(20))
    assert counted(sets, piece("a", card, *parts, expected=2)) == ["m0", "m1"]
    sized = DraDevice(name="z", attributes=gpu("a").attributes, capacity={"memory": 20 * GIB}, counters=of_set(20))
    assert counted(sets, piece("a", sized, *parts, expected=2)) == ["z"]


def test_a_card_that_could_be_cut_and_says_no_memory_cannot_be_had() -> None:
    def told(product: str, memory: int) -> list[tuple[int, int]]:
        device = DraDevice(name="g", attributes={"type": "gpu", "uuid": "u", "productName": product}, capacity={"memory": memory})
        return [(group.devices, group.unhealthy) for group in load().resolve(replace(node(), slices=(piece("s", device),)))]

    assert told("NVIDIA A100-SXM4-80GB", 80 * GIB) == [(1, 0)]
    assert told("NVIDIA A100-SXM4-80GB", 0) == [(0, 1)]
    assert told("NVIDIA GB10", 0) == [(1, 0)]  # shares its memory with the CPU, and is never cut


def test_usable_and_unusable_cards_of_a_product_are_told_apart() -> None:
    cards = [
        DraDevice(name=f"g{n}", attributes={"type": "gpu", "uuid": f"u{n}", "productName": "NVIDIA A30"}, capacity={"memory": memory})
        for n, memory in enumerate((24 * GIB, 24 * GIB, 0))
    ]
    (group,) = load().resolve(replace(node(), slices=(piece("s", *cards),)))
    assert (group.devices, group.unhealthy, group.accelerator_class) == (2, 1, "nvidia-a30-24gb")


def test_a_device_that_several_slices_or_pools_show_counts_once() -> None:
    again = DraDevice(name="gpu-other-name", attributes=gpu("a").attributes, capacity=gpu("a").capacity)
    assert counted(piece("s1", gpu("a"), expected=2), piece("s2", again, gpu("b"), expected=2)) == ["a", "b"]
    elsewhere = DeviceSlice(name="t", driver=DRIVER, pool="other", node="n1", devices=(again,))
    assert len(counted(piece("s", gpu("a")), elsewhere)) == 1
    _, ignored = whole_pools([piece("s", gpu("a")), elsewhere])
    assert [(one.amount, one.why) for one in ignored] == [(1, "SecondPublisher")]


def test_an_older_generation_shows_nothing_twice_and_no_newer_one_that_is_incomplete_is_replaced_by_it() -> None:
    old, new = piece("old", gpu("a"), gpu("b")), piece("new", gpu("c"), generation=2, expected=2)
    assert counted(old, new) == []
    assert counted(old, piece("new", gpu("a"), generation=2)) == ["a"]


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
    whole = DraDevice(name="z", attributes=gpu("a").attributes, capacity={"memory": 40 * GIB}, counters=of_set(40))
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
    assert held(driver(), by_parent, {"m0", "m1"}) == {"m0", "m1"}
    assert held(driver(), by_parent, {"b", "gone"}) == {"b"}
    assert held(driver(), by_parent, {"a"}) == {"m0", "m1"}  # the cut card: all its parts
    whole = DraDevice(name="z", attributes=gpu("z").attributes, counters=of_set(40))
    by_counter = [piece("a", whole, mig("m0", 10, counters=of_set(10)), gpu("b"))]
    assert held(driver(), by_counter, {"m0"}) == {"z"}
    assert held(None, by_counter, {"m0"}) == {"z"}
    assert held(driver(), [piece("a", mig("m0", 10), mig("m1", 10))], {"m0"}) == {"m0"}
