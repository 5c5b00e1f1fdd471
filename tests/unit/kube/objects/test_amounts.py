"""Amounts in base units; what is no quantity is left out."""

import pytest

from sampan.kube.objects.amounts import to_allocatable, to_vector


def test_cpu_is_in_thousandths_and_nonsense_is_left_out() -> None:
    found = to_vector({"cpu": "1500m", "memory": "2Gi", "nvidia.com/gpu": "8", "x.example/y": "lots"})
    assert dict(found) == {"cpu": 1500, "memory": 2**31, "nvidia.com/gpu": 8}


@pytest.mark.parametrize(
    ("text", "amount", "odd"),
    [
        ("8", 8, False),
        ("8e0", 8, False),
        ("0.008k", 8, False),
        ("1500m", 1, True),
        ("500m", 0, True),
        ("lots", 0, True),
        ("-1", 0, True),
        ("", 0, True),
        ("9" * 20, 0, True),
        ("9" * 70, 0, True),
    ],
)
def test_what_is_there_counts_in_whole_units_and_the_rest_is_named(text: str, amount: int, odd: bool) -> None:
    found, texts = to_allocatable({"x.example/y": text})
    assert found["x.example/y"] == amount
    assert texts == ((("x.example/y", text[:64]),) if odd else ())


def test_half_a_thousandth_of_a_core_is_not_there() -> None:
    found, texts = to_allocatable({"cpu": "1500100u"})
    assert (found["cpu"], texts) == (1500, (("cpu", "1500100u"),))
