"""What one replica takes."""

from dataclasses import replace

from builders import demand, pool, requirement, vector
from sampan.model.launch import Launch
from sampan.scheduling.capacity.request import replica_request


def test_devices_count_in_units_of_the_pool() -> None:
    wanted = demand(requirement(count=4))
    assert replica_request(wanted, pool()) == vector(cpu=4, gib=16, pods=1, gpu=4)
    have = pool().accelerator
    assert have is not None
    assert replica_request(wanted, pool(accelerator=replace(have, units_per_device=2)))["nvidia.com/gpu"] == 8


def test_the_launch_recipe_adds_its_own() -> None:
    wired = replace(pool(), launch=Launch(extra_resources=vector(**{"rdma/hca": 1})))
    assert replica_request(demand(requirement(count=8)), wired)["rdma/hca"] == 1
    assert replica_request(demand(), wired)["rdma/hca"] == 1
