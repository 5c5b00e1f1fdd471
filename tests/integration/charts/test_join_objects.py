"""`sampan join` makes what the chart sampan-member makes. Write anew after a change of the chart: SAMPAN_UPDATE_GOLDEN=1."""

import os
from pathlib import Path
from typing import Any

import pytest

from integration.charts.support import MEMBER_CHART, SERVED, Helm
from sampan.cli.join.objects import IMAGE, NAMESPACE, RELEASE_NAMESPACE, RENDERED, MemberPlan, member_objects

pytestmark = pytest.mark.integration

_REPOSITORY, _, _TAG = IMAGE.rpartition(":")
VALUES: dict[str, dict[str, Any]] = {
    "direct": {"namespace.name": NAMESPACE},
    "published": {
        "namespace.name": NAMESPACE,
        "capacity": "published",
        "publisher.image.repository": _REPOSITORY,
        "publisher.image.tag": _TAG,
    },
}


def rendered(helm: Helm, values: dict[str, Any]) -> str:
    """What helm prints for the chart."""
    served = [f"--api-versions={each}" for each in SERVED]
    return helm.run("template", "sampan-member", str(MEMBER_CHART), "-n", RELEASE_NAMESPACE, *helm.values(values), *served).stdout


@pytest.mark.parametrize("capacity", sorted(VALUES))
def test_what_is_shipped_is_what_the_chart_renders(offline_helm: Helm, capacity: str) -> None:
    path, now = RENDERED / f"{capacity}.yaml", rendered(offline_helm, VALUES[capacity])
    if os.environ.get("SAMPAN_UPDATE_GOLDEN"):
        path.write_text(now)
    assert path.read_text() == now, "the chart has changed: SAMPAN_UPDATE_GOLDEN=1 writes the file anew"


@pytest.mark.parametrize("capacity", sorted(VALUES))
def test_helm_and_the_shipped_files_make_the_same(
    offline_helm: Helm, capacity: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With values that say nothing new, `--values` gives what is given without helm."""
    monkeypatch.setenv("PATH", f"{Path(offline_helm.binary).parent}:{os.environ['PATH']}")
    empty = tmp_path / "values.yaml"
    empty.write_text("{}\n")
    image = "registry.example/sampan:1" if capacity == "published" else ""
    plan = MemberPlan(namespace="jobs-of-a", capacity=capacity, image=image)
    with_values = MemberPlan(namespace="jobs-of-a", capacity=capacity, image=image, values=empty)
    assert member_objects(with_values) == member_objects(plan)
