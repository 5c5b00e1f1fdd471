"""The sieve before the exact look never lets one through that a limit may refuse."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GIB, H100, cluster, demand, nodes, offer, requirement, snapshot
from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, JOBS, SECRETS, SERVICES, Admission, LimitItem, LimitType
from sampan.model.values.vector import PODS, Vector
from sampan.scheduling.cache import Memo
from sampan.scheduling.capacity.limit_bounds import LimitBounds
from sampan.scheduling.capacity.quota_usage import use_of
from sampan.scheduling.state import CycleState

GPU = "nvidia.com/gpu"
ITEM = LimitItem(range="r", type=LimitType.CONTAINER, default=(("cpu", 3000), ("memory", GIB)), default_request=(("cpu", 1000),))
ASKED = {"sampan-jobs": Admission(limits=(ITEM,))}
WORLD = snapshot(offers=[offer()], clusters=[replace(cluster(*nodes("h", 2, H100)), admission=ASKED)])
_BOOK = Memo().cache_or_new()
_BOOK.update(WORLD)
LAYOUT = CycleState.open(WORLD, _BOOK).cell_index
POOL = LAYOUT.columns[0].cell.pool
NAMES = ("", "cpu", "memory", "limits.cpu", "limits.memory", PODS, ALL_PODS, JOBS, SERVICES, CONFIG_MAPS, SECRETS, GPU, "amd.com/gpu")


@given(
    left=st.dictionaries(st.sampled_from(NAMES), st.integers(-1, 20_000)),
    replicas=st.integers(1, 4),
    gang=st.booleans(),
    count=st.integers(0, 8),
    cpu=st.integers(0, 4),
    limits=st.dictionaries(st.sampled_from(("cpu", "memory")), st.integers(0, 5000)),
    objects=st.dictionaries(st.sampled_from((CONFIG_MAPS, SECRETS, ALL_PODS)), st.integers(1, 5)),
)
def test_whatever_a_limit_refuses_is_doubtful(
    *, left: dict[str, int], replicas: int, gang: bool, count: int, cpu: int, limits: dict[str, int], objects: dict[str, int]
) -> None:
    need = requirement(H100, count) if count else None
    wanted = replace(
        demand(need, replicas=replicas, least=replicas if gang else 1),
        per_replica=Vector.of({"cpu": cpu * 1000, PODS: 1}),
        limits=tuple(sorted(limits.items())),
        objects=tuple(sorted(objects.items())),
    )
    bounds = LimitBounds(LAYOUT)
    bounds.lower(np.array([0]), left)
    if use_of(wanted, POOL).fits(left) < wanted.least_replicas:
        assert bounds.may_be_short(wanted, wanted.least_replicas)[0]


@pytest.mark.parametrize("name", ["cpu", GPU, "limits.memory"])
def test_what_is_ample_is_not_doubtful(name: str) -> None:
    bounds = LimitBounds(LAYOUT)
    bounds.lower(np.arange(len(LAYOUT.columns)), {name: 2**50})
    assert not bounds.may_be_short(demand(requirement()), 1).any()
