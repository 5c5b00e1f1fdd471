"""Null in place of a value: helm takes it for "no such value". What would then be rendered half, or less safely, is refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from integration.charts.support import HUB_CHART, MEMBER_CHART, SYSTEM, Helm

pytestmark = pytest.mark.integration

NEEDED = {("storage", "size"), ("namespace", "name")}
"""Texts that are never empty."""


def rows(schema: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], bool]]:
    """Each value, and whether null may stand for it: for texts, lists and free mappings, which can be empty; settings have defaults."""
    found: list[tuple[tuple[str, ...], bool]] = []
    for name, inner in schema.get("properties", {}).items():
        here = (*path, name)
        if here == ("global",):
            continue
        closed = inner.get("additionalProperties") is False and name != "resources"
        whole = closed or "enum" in inner or inner.get("type") in ("boolean", "integer", "number") or here in NEEDED
        found += [(here, not whole or here[0] == "settings"), *(rows(inner, here) if closed else [])]
    return found


NULLS = [
    (chart, path, allowed)
    for chart in (HUB_CHART, MEMBER_CHART)
    for path, allowed in rows(json.loads((chart / "values.schema.json").read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("chart", "path", "allowed"), NULLS, ids=[f"{c.name}:{'.'.join(p)}" for c, p, _ in NULLS])
def test_null_is_empty_or_refused_by_name(offline_helm: Helm, chart: Path, path: tuple[str, ...], allowed: bool) -> None:
    values = {"operator.enabled": False} if chart == HUB_CHART else {}
    arguments = Helm.values({**values, ".".join(path): None})
    done = offline_helm.run("template", "x", str(chart), "-n", SYSTEM, *arguments, check=False)
    assert (done.returncode == 0) == allowed, done.stderr
    assert allowed or f"missing property '{path[-1]}'" in done.stderr
