"""What a RuntimeClass adds to a pool's replicas."""

from builders import vector
from sampan.model.launch import Launch
from sampan.model.members.cluster import Pool
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.values.vector import Vector


def test_a_pools_extra_is_the_recipes_resources_and_the_overhead() -> None:
    kata = RuntimeClass(name="kata", overhead=vector(cpu=1, gib=2))
    rdma = Vector.of({"rdma/hca": 1})
    pool = Pool(name="p", cluster_uid="c", nodes=(), launch=Launch(extra_resources=rdma), overhead=kata.overhead)
    assert pool.extra == rdma + vector(cpu=1, gib=2)
    assert Pool(name="p", cluster_uid="c", nodes=()).extra == RuntimeClass(name="none").overhead == Vector()
