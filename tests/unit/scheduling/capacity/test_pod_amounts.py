"""The pod that the API server sees: what LimitRanges fill in where a container names nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from builders import GIB, H100, accelerator_class, demand, requirement
from sampan.model.job import Demand, Share
from sampan.model.launch import Launch
from sampan.model.members.accelerator import Sharing
from sampan.model.members.admission import Admission, LimitItem, LimitType
from sampan.model.members.cluster import Pool
from sampan.model.members.device import ClaimSource
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.capacity.pod_amounts import PodAmounts, admitted, sent

GPU = "nvidia.com/gpu"
BARE = replace(demand(), per_replica=Vector.of({PODS: 1}))


def pool(*items: LimitItem, extra: dict[str, int] | None = None, units: int = 1) -> Pool:
    launch = Launch(extra_resources=Vector.of(extra or {}))
    return Pool(
        name="p",
        cluster_uid="c1",
        nodes=("n",),
        resource=GPU,
        accelerator=accelerator_class(H100, units=units),
        launch=launch,
        admission=Admission(limits=items),
    )


def item(name: str = "r", *, limit: dict[str, int] | None = None, request: dict[str, int] | None = None) -> LimitItem:
    filled = tuple((limit or {}).items()), tuple((request or {}).items())
    return LimitItem(range=name, type=LimitType.CONTAINER, default=filled[0], default_request=filled[1])


def test_devices_and_extras_are_in_requests_and_limits() -> None:
    wanted = replace(demand(requirement(H100, 2), cpu=4, gib=16), limits=(("memory", 32 * GIB),), zeros=("ephemeral-storage",))
    assert sent(wanted, pool(extra={"rdma/hca": 1}, units=2)) == PodAmounts(
        requests={"ephemeral-storage": 0, "cpu": 4000, "memory": 16 * GIB, GPU: 4, "rdma/hca": 1},
        limits={"memory": 32 * GIB, GPU: 4, "rdma/hca": 1},
    )


def test_claimed_devices_are_in_neither_and_shares_bring_their_companions() -> None:
    claimed = replace(pool(), claim=ClaimSource(device_class="gpu.nvidia.com", driver="gpu.nvidia.com"))
    assert sent(demand(requirement(H100, 1)), claimed).limits == {}
    shared = replace(pool(), sharing=Sharing.VIRTUAL)
    share = replace(requirement(H100, 1), share=Share(memory=2 * GIB, compute_percent=30))
    assert sent(demand(share), shared).limits == {GPU: 1, "nvidia.com/gpumem": 2048, "nvidia.com/gpucores": 30}


@pytest.mark.parametrize(
    ("wanted", "items", "requests", "limits"),
    [
        (BARE, [item(limit={"cpu": 2}, request={"cpu": 1})], {"cpu": 1}, {"cpu": 2}),
        (BARE, [item(limit={"cpu": 2})], {}, {"cpu": 2}),
        (replace(BARE, zeros=("cpu",)), [item(limit={"cpu": 2}, request={"cpu": 1})], {"cpu": 0}, {"cpu": 2}),
        (replace(BARE, limits=(("cpu", 0),)), [item(limit={"cpu": 2}, request={"cpu": 1})], {"cpu": 1}, {"cpu": 0}),
        (BARE, [item(limit={"cpu": 2}), item(limit={"cpu": 3})], {}, {"cpu": 3}),
        (BARE, [LimitItem(range="r", type=LimitType.POD, most=(("cpu", 1),))], {}, {}),
    ],
    ids=["both", "a limit alone", "a request of 0 is named", "a limit of 0 is named", "the last item of a LimitRange", "not for pods"],
)
def test_what_is_filled_in(wanted: Demand, items: Sequence[LimitItem], requests: dict[str, int], limits: dict[str, int]) -> None:
    assert admitted(wanted, pool(*items)) == (PodAmounts(requests=requests, limits=limits),)


def test_where_limit_ranges_disagree_either_may_be_filled_in() -> None:
    items = [item(name, limit={"cpu": amount}, request={"cpu": amount}) for name, amount in (("a", 1), ("b", 2))]
    assert {pod.limits["cpu"] for pod in admitted(BARE, pool(*items))} == {1, 2}
    assert all(pod.limits == pod.requests for pod in admitted(BARE, pool(*items))), "one LimitRange gives both"
    many = [item(name, limit={"cpu": amount}) for amount, name in enumerate("abcd")]
    assert {pod.limits["cpu"] for pod in admitted(BARE, pool(*many))} == {0, 3}


def test_a_pod_without_cpu_and_memory_is_best_effort() -> None:
    gpus = replace(demand(requirement(H100, 1)), per_replica=Vector.of({PODS: 1, "ephemeral-storage": GIB}))
    assert sent(gpus, pool()).best_effort
    assert not sent(replace(gpus, limits=(("memory", 1),)), pool()).best_effort
    assert sent(replace(gpus, limits=(("memory", 0),), zeros=("memory",)), pool()).best_effort
    assert not admitted(gpus, pool(item(request={"cpu": 1})))[0].best_effort
