"""What a requirement asks of a class: names and figures, what lacks, and how little must be given up."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import GIB, H100, accelerator_class, demand, pool, requirement
from sampan.model.figures import FIGURES, NoFigure, Shortfall
from sampan.model.job import Requirement
from sampan.model.members.accelerator import AcceleratorClass, Precision, Sharing
from sampan.model.members.cluster import Pool
from sampan.model.values.quantity import MICRO

GPU = "nvidia.com/gpu"
HAVE = replace(accelerator_class(), memory_bandwidth=3350 * 10**9, throughput=((Precision.FP64, 34 * MICRO), (Precision.FP16, 989 * MICRO)))


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ({}, True),
        ({"accelerator_class": H100}, True),
        ({"family": "nvidia-family", "vendor": "nvidia", "stack": "cuda", "resource": GPU}, True),
        ({"accelerator_class": "other"}, False),
        ({"family": "other"}, False),
        ({"vendor": "other"}, False),
        ({"stack": "other"}, False),
        ({"resource": "other"}, False),
    ],
)
def test_every_name_must_be_borne(asked: dict[str, Any], want: bool) -> None:
    assert Requirement(count=1, **asked).matches(HAVE, resource=GPU) is want


def test_a_class_without_a_name_bears_none() -> None:
    nameless = AcceleratorClass(name="", vendor="", family="", stack="", origin="")
    assert nameless.names == {}
    assert Requirement(count=1).matches(nameless, resource=GPU)
    assert not Requirement(count=1, vendor="nvidia").matches(nameless, resource=GPU)


def test_what_lacks_is_named_with_both_values() -> None:
    need = Requirement(count=1, memory_per_device=96 * GIB, fp64_tflops=34 * MICRO, precisions=(Precision.FP16, Precision.FP8))
    memory = FIGURES[0]
    assert need.shortfall(HAVE) == (Shortfall(memory, 96 * GIB, 80 * GIB), NoFigure(Precision.FP8))
    assert (memory.told(96 * GIB), memory.told(None)) == ("96Gi", "not known")


NEEDS = st.builds(
    Requirement,
    count=st.just(1),
    accelerator_class=st.sampled_from((None, H100, "other")),
    family=st.sampled_from((None, "other")),
    vendor=st.sampled_from((None, "nvidia", "other")),
    stack=st.sampled_from((None, "other")),
    resource=st.sampled_from((None, GPU, "other")),
    memory_per_device=st.sampled_from((None, GIB, 96 * GIB)),
    fp16_tflops=st.sampled_from((None, 1, 990 * MICRO)),
    memory_bandwidth=st.sampled_from((None, 1, 10**13)),
    fp64_tflops=st.sampled_from((None, 1, 35 * MICRO)),
    precisions=st.sampled_from(((), (Precision.FP16,), (Precision.FP8, Precision.FP16))),
)


@given(NEEDS, st.sampled_from((HAVE, replace(HAVE, memory=None, throughput=()))))
def test_a_relaxed_requirement_is_met_and_asks_for_nothing_new(need: Requirement, have: AcceleratorClass) -> None:
    relaxed = need.relaxed_to(have, resource=GPU)
    assert relaxed.matches(have, resource=GPU)
    assert not relaxed.shortfall(have)
    assert relaxed.names.keys() <= need.names.keys()
    assert relaxed.relaxed_to(have, resource=GPU) == relaxed
    if need.matches(have, resource=GPU) and not need.shortfall(have):
        assert relaxed == need


def test_every_figure_is_an_attribute_of_a_requirement() -> None:
    attributes = set(Requirement.__dataclass_fields__)
    assert {figure.wanted for figure in FIGURES} <= attributes


@pytest.mark.parametrize(
    ("of", "memory"),
    [
        (pool(), 80 * GIB),
        (replace(pool(), memory=10 * GIB, sharing=Sharing.PARTITION), 10 * GIB),
        (replace(pool(), sharing=Sharing.PARTITION), None),
        (replace(pool(), accelerator=None), None),
    ],
    ids=["whole", "a partition", "a partition of unknown size", "no class"],
)
def test_the_memory_of_a_pools_device_is_a_partitions_own(of: Pool, memory: int | None) -> None:
    assert of.device_class is not None
    assert of.device_class.memory == memory


def test_devices_of_no_known_class_have_the_names_that_are_known() -> None:
    bare = replace(pool(), accelerator=None, family="f", stack="cuda")
    assert bare.device_names == {"family": "f", "vendor": "nvidia", "stack": "cuda", "resource": GPU}
    assert replace(bare, vendor="unknown").device_names == {"family": "f", "stack": "cuda", "resource": GPU}
    assert replace(bare, resource="").device_names == {}


def test_counts_and_units() -> None:
    assert (demand().devices, demand(requirement(count=4)).devices) == (0, 4)
    assert (pool().units_per_device, pool(accelerator=accelerator_class(units=2)).units_per_device) == (1, 2)
