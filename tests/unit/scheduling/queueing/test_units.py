"""The common unit: what one device, a partition or a share of it counts in the queues' turns."""

from dataclasses import replace
from typing import Any

import pytest

from builders import H100, cluster, demand, nodes, offer, requirement, snapshot
from sampan.model.job import Share
from sampan.model.members.accelerator import AcceleratorClass, Precision, Sharing
from sampan.model.members.cluster import Pool
from sampan.scheduling.queueing.units import Basis, Rate, device_rate, share_rate

GIB = 2**30
FP16, WIDE = ((Precision.FP16, 624_000_000),), 4_078_000_000_000


def chip(**facts: Any) -> AcceleratorClass:
    """A class of 80 GiB about whose speed nothing else is known."""
    known = AcceleratorClass(name=H100, vendor="nvidia", family="h100", stack="cuda", origin="US", memory=80 * GIB)
    return replace(known, **facts)


def pool_of(**facts: Any) -> Pool:
    """A pool of such devices with a rate of 1000."""
    whole = snapshot((), [offer()], [cluster(*nodes("h", 1, H100))]).cells[0].pool
    return replace(whole, **{"accelerator": chip(), **facts})


@pytest.mark.parametrize(
    ("name", "facts", "want"),
    [
        ("the platform's word", {"share_rate": 77, "throughput": FP16}, Rate(milli=77, basis=Basis.SET)),
        ("both figures doubled", {"throughput": FP16, "memory_bandwidth": WIDE}, Rate(milli=2000, basis=Basis.RATIOS)),
        ("throughput alone", {"throughput": FP16}, Rate(milli=2000, basis=Basis.RATIOS)),
        ("bandwidth alone", {"memory_bandwidth": WIDE}, Rate(milli=2000, basis=Basis.RATIOS)),
        ("nothing known", {}, Rate(milli=1000, basis=Basis.ASSUMED)),
        ("never nothing", {"memory_bandwidth": 1}, Rate(milli=1, basis=Basis.RATIOS)),
    ],
)
def test_rate_of_a_whole_device(name: str, facts: dict[str, Any], want: Rate) -> None:
    assert share_rate(chip(**facts)) == want, name


def test_a_device_that_cannot_be_told_counts_as_the_reference() -> None:
    assert share_rate(None) == Rate(milli=1000, basis=Basis.ASSUMED)


@pytest.mark.parametrize(
    ("name", "profile", "memory", "want"),
    [("memory is the larger part", "1g.20gb", 20 * GIB, 250), ("compute is", "3g.20gb", 20 * GIB, 429), ("no part known", "", None, 1000)],
)
def test_a_partition_counts_by_its_larger_part(name: str, profile: str, memory: int | None, want: int) -> None:
    pool = pool_of(sharing=Sharing.PARTITION, profile=profile, memory=memory)
    assert device_rate(demand(replace(requirement(count=1), partition=profile)), pool) == want, name


@pytest.mark.parametrize(("percent", "want"), [(0, 500), (75, 750), (100, 1000)])
def test_a_share_counts_by_its_larger_part(percent: int, want: int) -> None:
    asked = replace(requirement(count=1), share=Share(memory=40 * GIB, compute_percent=percent))
    assert device_rate(demand(asked), pool_of(sharing=Sharing.VIRTUAL)) == want
