"""Amounts in base units; what is no quantity is left out."""

from sampan.kube.amounts import to_vector


def test_cpu_is_in_thousandths_and_nonsense_is_left_out() -> None:
    found = to_vector({"cpu": "1500m", "memory": "2Gi", "nvidia.com/gpu": "8", "x.example/y": "lots"})
    assert dict(found) == {"cpu": 1500, "memory": 2**31, "nvidia.com/gpu": 8}
