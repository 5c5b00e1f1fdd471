"""Pods in turn, none placed twice or beyond what a node or a card has, and what does not fit is dropped."""

from sampan.sim.openb import DEMAND, Packed, inflated_list, pack, whole_cards
from sampan.sim.traces import SimNode, SimPod

NODES = [SimNode(name=f"n{number}", cpu=64_000, memory=262_144, devices=4, model="T4") for number in range(3)]
HALF, WHOLE, PAIR = (SimPod(cpu=2000, memory=1024, devices=count, milli=milli) for count, milli in ((1, 500), (1, 1000), (2, 1000)))
CPU_ONLY = SimPod(cpu=1000, memory=512, devices=0, milli=0)
HUGE = SimPod(cpu=128_000, memory=1024, devices=1, milli=1000)


def test_the_list_is_drawn_up_to_the_demand_and_is_the_same_for_a_seed() -> None:
    pods = [HALF, WHOLE, PAIR, CPU_ONLY]
    drawn = inflated_list(pods, 12_000, seed=42)
    asked = sum(pod.devices * pod.milli for pod in drawn)
    assert 12_000 * DEMAND <= asked * 100 < 12_000 * DEMAND + 2_000 * 100
    assert drawn == inflated_list(pods, 12_000, seed=42) != inflated_list(pods, 12_000, seed=43)
    assert all(drawn.count(pod) >= 1 for pod in pods)


def test_whole_devices_and_halves_fill_all_that_is_there() -> None:
    assert pack(NODES, [WHOLE], seed=42) == Packed(placed=12, pods=16, capacity=12_000, allocated=12_000)
    assert pack(NODES, [HALF], seed=42) == Packed(placed=24, pods=32, capacity=12_000, allocated=12_000)


def test_what_no_node_has_is_dropped_and_pods_without_devices_are_placed() -> None:
    packed = pack(NODES, [HUGE, CPU_ONLY], seed=42)
    assert packed.allocated == 0
    assert 0 < packed.placed < packed.pods


def test_a_share_is_rounded_half_up() -> None:
    assert Packed(placed=1, pods=1, capacity=3_000, allocated=2_000).share == 6667
    assert whole_cards(2).tolist() == [[1000, 100, 1000]] * 2
