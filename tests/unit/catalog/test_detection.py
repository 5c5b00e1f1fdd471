"""Detections: which resources are meant, and when nothing is."""

import pytest

from builders import selector
from sampan.catalog.detection import Detection


@pytest.mark.parametrize(
    ("pattern", "resource", "want"),
    [
        ("nvidia.com/gpu", "nvidia.com/gpu", True),
        ("nvidia.com/gpu", "nvidia.com/gpu.shared", False),
        ("nvidia.com/*", "nvidia.com/gpu.shared", True),
        ("*/npu", "acme.example/npu", True),
        ("nvidia.com/gp.", "nvidia.com/gpu", False),
    ],
)
def test_a_star_stands_for_any_run(pattern: str, resource: str, want: bool) -> None:
    assert Detection(resources=(pattern,)).names(resource) is want


def test_nothing_named_detects_nothing() -> None:
    assert Detection().empty
    assert not Detection(labels=selector(a="b")).empty


def test_many_stars_are_no_work() -> None:
    assert not Detection(resources=(f"acme.example/{'*a' * 30}b",)).names(f"acme.example/{'a' * 63}")
